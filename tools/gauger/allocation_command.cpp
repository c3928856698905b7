// gauger allocation: the documents that close a contract's month for the whole company.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "exporters/accounting/closed_months.h"
#include "exporters/accounting/company_month.h"
#include "schemas/time_zone.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {
namespace {

struct AllocationFlags {
  std::string data;
  std::string period;
  std::string contract;
  std::string by;
  std::string because;
  Output output = Output::table;
};

// What stands in the way of closing: the month is not over, or usage has no price. Estimated
// counts do not: they stop the invoices that they touch.
Result<void> check_closable(const AllocationFlags& flags, const ledger::Reader& reader,
                            const billing::AllocationDocument& allocation) {
  if (reader.head().block_time < allocation.period.until)
    return Error{ErrorCode::refused, "the month of " + allocation.contract + " ends at " +
                                         format_instant(allocation.period.until) +
                                         ", and the ledger's clock stands at " +
                                         format_instant(reader.head().block_time)};
  size_t unpriced = 0;
  std::string first;
  for (const auto& team : allocation.teams)
    for (const auto& blocker : team.blockers)
      if (blocker.kind == billing::BlockerKind::unpriced && unpriced++ == 0)
        first = blocker.sentence;
  if (unpriced == 0 || !flags.because.empty()) return success();
  return Error{
      ErrorCode::refused,
      fmt::format("{} has {} items without a price, such as: {}. Price them, or close with "
                  "--because REASON; they then pay what they cost once they have one",
                  allocation.contract, unpriced, first)};
}

Result<void> run_close(const AllocationFlags& flags) {
  TRY(const auto month, parse_month(flags.period));
  TRY(auto source, open_rating(flags.data, {}));
  TRY(const auto rated, source.rate(month, flags.contract));
  std::vector<ledger::DocumentDraft> drafts;
  std::string text;
  for (const auto& allocation : rated.company.allocations) {
    TRY(const auto closed,
        exporters::read_closed(source.reader().documents(), allocation.contract, month));
    if (closed)
      return Error{
          ErrorCode::refused,
          fmt::format("{} of {} was closed in journal block {}; `gauger rerate` shows what "
                      "has changed since",
                      flags.period, allocation.contract, closed->versions.front().known_from)};
    TRY(check_closable(flags, source.reader(), allocation));
    ledger::DocumentDraft draft;
    draft.key = exporters::allocation_key(allocation.contract, month);
    draft.author = flags.by;
    draft.reason = flags.because;
    draft.after_version = 0;
    draft.content = billing::allocation_json(allocation);
    drafts.push_back(std::move(draft));
    text += billing::allocation_table(allocation);
  }
  TRY(const auto versions, append_documents(flags.data, std::move(drafts)));
  TRY(write_document("", text));
  for (const auto& version : versions)
    fmt::print(stderr, "closed {}, known from journal block {}\n", version.key.id,
               version.known_from);
  return success();
}

Result<void> run_show(const AllocationFlags& flags) {
  TRY(const auto month, parse_month(flags.period));
  TRY(const auto reader, ledger::Reader::open(flags.data));
  TRY(const auto closed, exporters::read_closed(reader->documents(), flags.contract, month));
  if (!closed)
    return Error{ErrorCode::not_found,
                 flags.period + " of the contract '" + flags.contract + "' is not closed"};
  if (flags.output == Output::json) {
    std::string text;
    for (const auto& content : closed->contents) text += content;
    return write_document("", text);
  }
  const auto& current = closed->month;
  const auto& currency = current.allocation.currency;
  TRY(write_document("", billing::allocation_table(current.allocation)));
  for (size_t i = 1; i < closed->versions.size(); ++i) {
    TRY(const auto correction, billing::parse_correction(closed->contents[i], "a correction"));
    fmt::print("correction {} of journal block {}, {}: {}\n", i, closed->versions[i].known_from,
               to_string(correction.reason), currency.format_minor(correction.amount_minor));
  }
  fmt::print("stands at {} {}\n", currency.format_minor(current.total_minor()), currency.code());
  return success();
}

Result<void> run_list(const AllocationFlags& flags) {
  TRY(const auto reader, ledger::Reader::open(flags.data));
  const auto documents = reader->documents();
  billing::TextTable table({{"month"},
                            {"closed_in_block", billing::Align::right},
                            {"closed_at"},
                            {"by"},
                            {"because"},
                            {"corrections", billing::Align::right}});
  std::string json;
  std::vector<ledger::DocumentVersion> first;
  std::map<std::string, uint32_t> last;
  TRY(documents.each(documents_name_space, billing::allocation_kind,
                     [&](const ledger::DocumentVersion& version) -> Result<bool> {
                       if (version.version == 1) first.push_back(version);
                       last[version.key.id] = version.version;
                       return true;
                     }));
  for (const auto& version : first) {
    const auto corrections = last[version.key.id] - 1;
    table.add({version.key.id, std::to_string(version.known_from),
               format_instant(version.recorded_at), version.author, version.reason,
               std::to_string(corrections)});
    json += fmt::format(
        "{}{{\"month\":{},\"closed_in_block\":{},\"closed_at\":{},\"by\":{},\"because\":{},"
        "\"corrections\":{}}}",
        json.empty() ? "" : ",", json_text(version.key.id), version.known_from,
        json_text(format_instant(version.recorded_at)), json_text(version.author),
        json_text(version.reason), corrections);
  }
  if (flags.output == Output::json)
    fmt::print("[{}]\n", json);
  else
    print_table(table, flags.output);
  return success();
}

void add_close(CLI::App& parent, Run& run) {
  auto* const command = parent.add_subcommand(
      "close", "hand a month down to teams and lines, for good; later usage pays the closing rate");
  const auto flags = std::make_shared<AllocationFlags>();
  add_data_option(*command, flags->data);
  command->add_option("--period", flags->period, "the month, such as 2027-01")->required();
  command->add_option("--contract", flags->contract, "only this contract");
  command->add_option("--by", flags->by, "who closes it")->required();
  command->add_option("--because", flags->because, "why, with usage that has no price");
  command->footer(
      "Example: gauger allocation close --data ./ledger --period 2027-01 --contract frontier-2027 "
      "--by ann");
  command->callback([flags, &run] { run = [flags] { return run_close(*flags); }; });
}

void add_show(CLI::App& parent, Run& run) {
  auto* const command = parent.add_subcommand("show", "a closed month and its corrections");
  const auto flags = std::make_shared<AllocationFlags>();
  add_data_option(*command, flags->data);
  command->add_option("--period", flags->period, "the month, such as 2027-01")->required();
  command->add_option("--contract", flags->contract)->required();
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_show(*flags); }; });
}

void add_list(CLI::App& parent, Run& run) {
  auto* const command = parent.add_subcommand("list", "the months that are closed");
  const auto flags = std::make_shared<AllocationFlags>();
  add_data_option(*command, flags->data);
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_list(*flags); }; });
}

}  // namespace

void add_allocation_command(CLI::App& app, Run& run) {
  auto* const command =
      app.add_subcommand("allocation", "close a contract's month; show closed months");
  command->require_subcommand(1);
  add_close(*command, run);
  add_show(*command, run);
  add_list(*command, run);
}

}  // namespace gauger::tools
