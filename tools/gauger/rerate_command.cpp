// gauger rerate: what a past month would cost as things stand now, or under other terms; and the
// corrections that bring a closed month there.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "billing/rerating.h"
#include "exporters/accounting/closed_months.h"
#include "exporters/accounting/company_month.h"
#include "schemas/time_zone.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {
namespace {

struct RerateFlags {
  std::string data;
  std::string period;
  std::string contract;
  bool diff = false;
  bool post = false;
  std::string by;
  std::string because;
  TermsOptions terms;
  Output output = Output::table;
};

// One contract's month: what is charged now, and what it would be.
struct Rerated {
  std::string contract;
  billing::Currency currency;
  std::vector<billing::LineDifference> differences;
  bool closed = false;
  uint32_t versions = 0;  // of its document
  std::optional<billing::Correction> correction;
};

class Rerater {
 public:
  Rerater(const RerateFlags& flags, RatingSource source, int32_t month)
      : flags_(flags), source_(std::move(source)), month_(month) {}

  Result<std::vector<Rerated>> run() {
    // A difference may show a proposal; a correction never rests on one.
    TRY(auto now, source_.rate(month_, flags_.contract, !flags_.post));
    std::vector<Rerated> all;
    for (size_t i = 0; i < now.company.allocations.size(); ++i) {
      const auto& allocation = now.company.allocations[i];
      TRY(const auto closed,
          exporters::read_closed(source_.reader().documents(), allocation.contract, month_));
      if (closed) {
        TRY(auto rerated, closed_month(*closed, now.usage, now.company.contracts[i], allocation));
        all.push_back(std::move(rerated));
      } else {
        TRY(auto rerated, open_month(allocation));
        all.push_back(std::move(rerated));
      }
    }
    return all;
  }

 private:
  Result<Rerated> closed_month(const exporters::StoredClosedMonth& closed, const UsageTable& usage,
                               const billing::ContractMonth& now,
                               const billing::AllocationDocument& current) {
    TRY(auto sealed, RatingSource::as_known_at(source_, closed.month.allocation.as_of_sequence));
    TRY(const auto under_sealed, sealed.rate(month_, current.contract, false, &usage));
    Rerated rerated{current.contract, current.currency, {}, true, 0, {}};
    rerated.versions = static_cast<uint32_t>(closed.versions.size());
    rerated.correction =
        billing::correct(closed.month, under_sealed.company.contracts.front(), now, current);
    const auto before = closed.month.booked();
    auto after = before;
    if (rerated.correction)
      after.insert(after.end(), rerated.correction->lines.begin(), rerated.correction->lines.end());
    rerated.differences = billing::diff_lines(before, after);
    return rerated;
  }

  // Against the ledger's own terms of now.
  Result<Rerated> open_month(const billing::AllocationDocument& current) {
    TRY(auto known, RatingSource::as_known_at(source_, source_.reader().head().sequence));
    std::vector<billing::InvoiceLine> before;
    const auto booked = known.rate(month_, current.contract);
    if (booked.has_value())
      before = billing::lines_of(booked.value().company.allocations.front());
    else if (booked.error().code != ErrorCode::invalid_argument)
      return booked.error();
    return Rerated{current.contract,
                   current.currency,
                   billing::diff_lines(before, billing::lines_of(current)),
                   false,
                   0,
                   {}};
  }

  const RerateFlags& flags_;
  RatingSource source_;
  int32_t month_;
};

Result<void> print(const RerateFlags& flags, const std::vector<Rerated>& all) {
  std::string text;
  for (const auto& one : all) {
    switch (flags.output) {
      case Output::json: text += billing::difference_json(one.differences, one.currency); break;
      case Output::csv: text += billing::difference_csv(one.differences, one.currency); break;
      case Output::table:
        text += "contract " + one.contract + ", " + flags.period +
                (one.closed ? ", closed" : ", open") +
                (one.correction ? ": " + std::string(to_string(one.correction->reason)) : "") +
                "\n" + billing::difference_table(one.differences, one.currency);
    }
  }
  return write_document("", text);
}

Result<void> post(const RerateFlags& flags, int32_t month, const std::vector<Rerated>& all) {
  std::vector<ledger::DocumentDraft> drafts;
  for (const auto& one : all) {
    if (!one.closed)
      return Error{
          ErrorCode::refused,
          flags.period + " of the contract " + one.contract +
              " is not closed: there is nothing to correct yet (`gauger allocation close`)"};
    if (!one.correction) continue;
    ledger::DocumentDraft draft;
    draft.key = exporters::allocation_key(one.contract, month);
    draft.author = flags.by;
    draft.reason = flags.because;
    draft.after_version = one.versions;
    draft.content = billing::correction_json(*one.correction);
    drafts.push_back(std::move(draft));
  }
  if (drafts.empty()) {
    std::fputs("nothing to correct\n", stderr);
    return success();
  }
  TRY(const auto versions, append_documents(flags.data, std::move(drafts)));
  for (const auto& version : versions)
    fmt::print(stderr, "posted {} {} version {}, known from journal block {}\n", version.key.kind,
               version.key.id, version.version, version.known_from);
  return success();
}

Result<void> run_rerate(const RerateFlags& flags) {
  TRY(const auto month, parse_month(flags.period));
  if (flags.post && (!flags.terms.files.empty() || flags.terms.known_at))
    return invalid_argument(
        "corrections rest on the ledger's terms: post them with `gauger terms post`, then "
        "`gauger rerate --post` without --terms and --known-at");
  if (flags.post && flags.by.empty())
    return invalid_argument("--post needs --by: who posts the corrections?");
  TRY(auto source, open_rating(flags.data, flags.terms));
  TRY(const auto all, Rerater(flags, std::move(source), month).run());
  TRY(print(flags, all));
  return flags.post ? post(flags, month, all) : success();
}

}  // namespace

void add_rerate_command(CLI::App& app, Run& run) {
  auto* const command = app.add_subcommand(
      "rerate", "rate a past month anew: show what differs, or post the corrections");
  const auto flags = std::make_shared<RerateFlags>();
  add_data_option(*command, flags->data);
  command->add_option("--period", flags->period, "the month, such as 2027-01")->required();
  command->add_option("--contract", flags->contract, "only this contract");
  auto* const diff = command->add_flag("--diff", flags->diff, "show what differs (the default)");
  command->add_flag("--post", flags->post, "post corrections of closed months, as documents")
      ->excludes(diff);
  command->add_option("--by", flags->by, "who posts");
  command->add_option("--because", flags->because, "why, in words");
  flags->terms.add_to(*command);
  add_output_option(*command, flags->output);
  command->footer(
      "Example: gauger rerate --data ./ledger --period 2027-01 --terms new-prices.yaml --diff\n"
      "A closed month is compared with what was charged for it, an open one with the ledger's "
      "terms.");
  command->callback([flags, &run] { run = [flags] { return run_rerate(*flags); }; });
}

}  // namespace gauger::tools
