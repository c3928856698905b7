#include "exporters/accounting/invoice_correcting.h"

#include "billing/invoices/finalize.h"

namespace gauger::exporters {

using billing::Invoice;

namespace {

// The document's own month as it is rated now; without usage where none is left.
Result<RatedBillTo> current_month(const InvoiceRating& rating, const InvoiceTerms& terms,
                                  const Invoice& invoice) {
  const auto& header = invoice.header;
  TRY(auto months, rating.month(header.month, terms));
  const auto found = months.find(header.bill_to.id);
  if (found == months.end())
    return RatedBillTo{{{header.month, {}}, {}, {}}, header.currency, {}, {}};
  if (found->second.currency != header.currency)
    return invalid_argument("the terms are in " + found->second.currency.code() + ", " +
                            invoice.id() + " is in " + header.currency.code());
  return std::move(found->second);
}

}  // namespace

Result<Correction> correction_of(const InvoiceBooks& books, const Invoice& invoice,
                                 std::optional<InvoiceTerms> terms, const std::string& reason) {
  const auto& bill_to = invoice.header.bill_to.id;
  const auto month = invoice.header.month;
  TRY(const auto rating, InvoiceRating::open(books.view, books.store, books.now));
  if (!terms) {
    TRY(terms, read_invoice_terms(books.store, rating.terms_of(bill_to, month)));
  }
  TRY(auto rated, current_month(rating, *terms, invoice));
  auto header = invoice_header(books, *terms, bill_to, month, invoice.header.currency);
  put_references(rated, header);
  header.reason = reason;
  TRY(auto seal, seal_note(std::move(header), {std::move(rated.settled)}, books.store.invoices()));
  return Correction{std::move(seal), std::move(*terms)};
}

Result<billing::Seal> void_of(const InvoiceBooks& books, const Invoice& invoice,
                              const std::string& reason) {
  auto header = invoice_header(books, {}, invoice.header.bill_to.id, invoice.header.month,
                               invoice.header.currency);
  header.terms = invoice.header.terms;
  header.reason = reason;
  return seal_void(invoice, std::move(header), books.store.invoices());
}

}  // namespace gauger::exporters
