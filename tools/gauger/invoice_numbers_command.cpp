// gauger invoice confirm-numbers: after a restore, which number was the last to leave the house.
#include <fmt/format.h>

#include <memory>

#include "ledger/backup/incarnation.h"
#include "tools/gauger/invoice_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

using billing::Invoice;

struct NumbersOptions {
  InvoiceOptions common;
  std::string last;
  std::vector<std::string> bundles;
};

// "LF-000042" or "42"; "0" where none ever left.
Result<int64_t> number_of(const NumbersOptions& options, const billing::Issuer& issuer) {
  std::string_view text = options.last;
  if (text.starts_with(issuer.number_prefix)) text.remove_prefix(issuer.number_prefix.size());
  int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || number > 1'000'000'000) {
      text = {};
      break;
    }
    number = number * 10 + (c - '0');
  }
  if (text.empty())
    return invalid_argument("--last takes a number of " + issuer.party.id + ", such as " +
                            billing::invoice_id(issuer.number_prefix, 42) + ", not '" +
                            options.last + "'");
  return number;
}

// A document that the lost ledger gave out, as the next number of this one: the same bytes, the
// same hash, the same place in the chain.
Result<Invoice> take_back(InvoiceWriter& writer, const std::string& path,
                          const std::string& author) {
  auto& store = *writer.at.store;
  TRY(const auto text, read_text_file(path));
  TRY(const auto report, billing::verify_bundle(text, path));
  if (!report.findings.empty())
    return Error{ErrorCode::refused, path + ": " + report.findings.front()};
  Invoice invoice;
  TRY(auto drafts, store.drafts_of(report.seal, author, invoice));
  if (report.invoice.header.issuer.id != store.issuer().party.id ||
      to_json(invoice) != to_json(report.invoice))
    return Error{ErrorCode::refused,
                 path + " holds " + report.invoice.id() + ", but the next number here is " +
                     invoice.id() + ", chained to the one before it; give the bundles in order"};
  for (auto& draft : drafts) draft.reason = "taken back after a restore";
  TRY(writer.ledger->append_documents(std::move(drafts)));
  store.posted(invoice, {});
  return invoice;
}

Result<void> run_confirm(const NumbersOptions& options) {
  TRY(auto writer, InvoiceWriter::open(options.common));
  const auto& store = *writer.at.store;
  const auto& issuer = store.issuer();
  TRY(const auto last, number_of(options, issuer));
  const auto author = options.common.author();
  for (const auto& path : options.bundles) {
    TRY(const auto invoice, take_back(writer, path, author));
    fmt::print("{} is back\n", invoice.id());
  }
  const auto known = static_cast<int64_t>(store.invoices().size());
  const auto name = [&](int64_t number) {
    return billing::invoice_id(issuer.number_prefix, number);
  };
  if (known < last)
    return Error{ErrorCode::refused,
                 name(known + 1) + (known + 1 == last ? "" : " to " + name(last)) +
                     " left the house and are not in this ledger: give their bundles, in order; "
                     "`gauger export bundle` made them, and whoever was billed can hold them"};
  if (known > last)
    return Error{ErrorCode::refused, "this ledger has numbers up to " + name(known) + ", beyond " +
                                         options.last + ": look again at what left the house"};
  TRY(writer.ledger->append_documents({ledger::confirmation_draft(
      issuer.party.id, author, fmt::format("{{\"last_number\": {}}}", last))}));
  TRY(writer.ledger->close());
  fmt::print("the next number of {} is {}\n", issuer.party.id, name(last + 1));
  return success();
}

}  // namespace

void add_invoice_numbers_command(CLI::App& invoice, Run& run) {
  auto options = std::make_shared<NumbersOptions>();
  auto& common = options->common;
  auto* confirm = invoice.add_subcommand(
      "confirm-numbers", "after a restore: say which number was the last to leave the house");
  confirm->footer(
      "Example: gauger invoice confirm-numbers --data ./ledger --last LF-000042 --by ana \\\n"
      "           LF-000041.bundle.json LF-000042.bundle.json\n"
      "Bundles bring back the numbers that were given after the backup, in order.");
  common.add_ledger_to(*confirm);
  common.add_who_to(*confirm);
  confirm->add_option("--now", common.now, "the time that it is, for replays; else the system's");
  confirm->add_option("--wait", common.wait_s, "seconds to wait for another writer of the ledger");
  confirm->add_option("--last", options->last, "the last number that left; 0: none")->required();
  confirm->add_option("bundles", options->bundles, "what this ledger lacks, oldest first");
  confirm->callback([options, &run] { run = [options] { return run_confirm(*options); }; });
}

}  // namespace gauger::tools
