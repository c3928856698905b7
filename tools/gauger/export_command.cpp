// gauger export: an issuer's finalized documents for finance systems, in one file.
#include <algorithm>
#include <memory>

#include "exporters/accounting/invoice_export.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/invoice_options.h"

namespace gauger::tools {
namespace {

struct ExportOptions {
  InvoiceOptions common;
  std::string format;
  std::string to;
};

Result<void> run_export(const ExportOptions& options) {
  TRY(const auto at, InvoiceLedger::open(options.common));
  std::vector<billing::Invoice> chosen;
  for (const auto& invoice : at.store->invoices()) {
    const auto& header = invoice.header;
    const auto& names = options.common.bill_tos;
    const bool billed =
        names.empty() || std::find(names.begin(), names.end(), header.bill_to.id) != names.end();
    if (billed &&
        (options.common.period.empty() || format_month(header.month) == options.common.period))
      chosen.push_back(invoice);
  }
  TRY(const auto text, exporters::export_invoices(chosen, options.format));
  return write_document(options.to, text);
}

}  // namespace

void add_export_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<ExportOptions>();
  auto* command = app.add_subcommand("export", "finalized documents for finance systems");
  command->footer(
      "Example: gauger export focus --data ./ledger --period 2026-10 --to focus.csv\n"
      "         gauger export hledger --data ./ledger --to gauger.journal");
  options->common.add_ledger_to(*command);
  command->add_option("format", options->format, "FOCUS 1.2 rows or a double-entry journal")
      ->required()
      ->check(CLI::IsMember({"focus", "hledger", "ledger", "beancount"}))
      ->option_text("focus|hledger|ledger|beancount REQUIRED");
  command->add_option("--period", options->common.period, "only documents of this month");
  command->add_option("--bill-to", options->common.bill_tos, "only of this bill-to");
  command->add_option("--to", options->to, "the file; else standard output");
  command->callback([options, &run] { run = [options] { return run_export(*options); }; });
}

}  // namespace gauger::tools
