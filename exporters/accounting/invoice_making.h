// From a bill-to's rated month to a document: previews, what stands in the way, and the seal that a
// finalized invoice is derived from. Nothing is written here; drafts are for whoever appends.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/accounting/invoice_rating.h"
#include "exporters/accounting/invoice_store.h"
#include "exporters/accounting/report_table.h"

namespace gauger::exporters {

// An issuer's documents with the ledger they lie in, at a time. Borrows both.
struct InvoiceBooks {
  const LedgerView& view;
  const InvoiceStore& store;
  Instant now;
};

// What the month would be invoiced as, whatever blocks it. It has no number yet.
Result<billing::Invoice> preview_invoice(const InvoiceBooks& books, InvoiceRating& rating,
                                         const InvoiceTerms& terms, const std::string& bill_to,
                                         int32_t month, const RatedBillTo& rated);

// What blocks the month, and the corrections of earlier ones that stand with it.
std::vector<billing::OpenBlocker> all_open(const RatedBillTo& rated,
                                           const std::vector<billing::Settled>& earlier);

struct Finalizing {
  std::string author;
  bool force = false;
  std::string reason;  // needed to force
};
// refused: something blocks, or the month is not what was reviewed.
Result<billing::Seal> seal_month(const InvoiceBooks& books, InvoiceRating& rating,
                                 const InvoiceTerms& terms, const Finalizing& how,
                                 const std::string& bill_to, int32_t month,
                                 const RatedBillTo& rated);

// What to append, all or nothing: the invoice, which is filled in, its seal, and the terms it rests
// on where the ledger lacks them.
Result<std::vector<ledger::DocumentDraft>> finalizing_drafts(const InvoiceStore& store,
                                                             const billing::Seal& seal,
                                                             const InvoiceTerms& terms,
                                                             const std::string& author,
                                                             billing::Invoice& invoice);

// A row of each document, in the order of the numbers.
ReportTable invoices_report(const InvoiceStore& store, std::span<const billing::Invoice> invoices);

// "finalized", "void by …" or "corrected by …".
std::string state_of(const InvoiceStore& store, const billing::Invoice& invoice);

// What an invoice says beside its lines, but for what was rated.
billing::InvoiceHeader invoice_header(const InvoiceBooks& books, const InvoiceTerms& terms,
                                      std::string_view bill_to, int32_t month,
                                      const billing::Currency& currency);
// The terms that a month of contracts names by itself.
void put_references(const RatedBillTo& rated, billing::InvoiceHeader& header);

}  // namespace gauger::exporters
