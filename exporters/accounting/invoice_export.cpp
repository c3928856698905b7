#include "exporters/accounting/invoice_export.h"

#include "exporters/documents/invoice_csv.h"
#include "exporters/documents/invoice_pdf.h"
#include "exporters/focus/focus.h"
#include "exporters/journal/journal.h"

namespace gauger::exporters {

const std::vector<std::string>& invoice_formats() {
  static const std::vector<std::string> formats = {"json",    "csv",    "pdf",       "focus",
                                                   "hledger", "ledger", "beancount", "bundle"};
  return formats;
}

Result<std::string> export_invoices(std::span<const billing::Invoice> invoices,
                                    const std::string& format) {
  if (format == "focus") return focus_csv(invoices);
  if (format == "hledger") return journal_text(invoices, JournalFormat::hledger);
  if (format == "ledger") return journal_text(invoices, JournalFormat::ledger);
  if (format == "beancount") return journal_text(invoices, JournalFormat::beancount);
  return invalid_argument("'" + format + "' is not a format of several documents");
}

Result<std::string> export_invoice(const InvoiceStore& store, const billing::Invoice& invoice,
                                   const std::string& format) {
  if (format == "json") return to_json(invoice);
  if (format == "csv") return invoice_csv(invoice);
  if (format == "pdf") return invoice_pdf(invoice);
  if (format != "bundle") return export_invoices(std::span(&invoice, 1), format);
  TRY(const auto seal, store.seal(invoice.number));
  return billing::bundle_json(invoice, seal, store.chain(invoice.number));
}

}  // namespace gauger::exporters
