#include "exporters/accounting/invoice_making.h"

#include "billing/invoices/finalize.h"

namespace gauger::exporters {

using billing::Invoice;

billing::InvoiceHeader invoice_header(const InvoiceBooks& books, const InvoiceTerms& terms,
                                      std::string_view bill_to, int32_t month,
                                      const billing::Currency& currency) {
  const auto& issuer = books.store.issuer();
  const auto& reader = *books.view.reader;
  billing::InvoiceHeader header;
  header.issuer = issuer.party;
  header.bill_to = issuer.bill_to(bill_to);
  header.number_prefix = issuer.number_prefix;
  header.payment_terms = issuer.payment_terms;
  header.month = month;
  header.zone = issuer.zone.name();
  header.period = {issuer.zone.month_begin(month), issuer.zone.month_begin(month + 1)};
  header.currency = currency;
  header.issued_at = std::chrono::floor<std::chrono::seconds>(books.now);
  header.grain_minutes = reader.config().grain.count();
  header.context_boundaries = reader.config().context_boundaries;
  header.as_of_sequence = reader.head().sequence;
  header.terms = terms.references;
  return header;
}

void put_references(const RatedBillTo& rated, billing::InvoiceHeader& header) {
  header.terms.insert(header.terms.end(), rated.references.begin(), rated.references.end());
}

Result<Invoice> preview_invoice(const InvoiceBooks& books, InvoiceRating& rating,
                                const InvoiceTerms& terms, const std::string& bill_to,
                                int32_t month, const RatedBillTo& rated) {
  billing::FinalizeInput input;
  input.header = invoice_header(books, terms, bill_to, month, rated.currency);
  put_references(rated, input.header);
  input.current = rated.settled;
  input.current.open.clear();
  TRY(input.earlier, rating.earlier(bill_to, rated.currency, month));
  for (auto& earlier : input.earlier) earlier.open.clear();
  TRY(const auto seal, seal_invoice(std::move(input), books.store.invoices()));
  Invoice invoice;
  TRY(books.store.drafts_of(seal, "preview", invoice));
  return invoice;
}

std::vector<billing::OpenBlocker> all_open(const RatedBillTo& rated,
                                           const std::vector<billing::Settled>& earlier) {
  auto open = rated.settled.open;
  for (const auto& one : earlier)
    for (auto blocker : one.open) {
      blocker.blocker.sentence = format_month(one.month.month) + ": " + blocker.blocker.sentence;
      open.push_back(std::move(blocker));
    }
  return open;
}

namespace {

// refused where what is finalized is no longer what was looked at.
Result<void> check_review(const InvoiceStore& store, const Invoice& invoice) {
  const auto& header = invoice.header;
  const auto review = store.review(header.bill_to.id, header.month);
  if (!review || review->total_minor == invoice.total_minor || header.forced) return success();
  return Error{ErrorCode::refused,
               format_month(header.month) + " of " + header.bill_to.id + " was reviewed at " +
                   header.currency.format_minor(review->total_minor) + " and is " +
                   header.currency.format_minor(invoice.total_minor) + " " +
                   header.currency.code() + " now; review it again"};
}

}  // namespace

Result<billing::Seal> seal_month(const InvoiceBooks& books, InvoiceRating& rating,
                                 const InvoiceTerms& terms, const Finalizing& how,
                                 const std::string& bill_to, int32_t month,
                                 const RatedBillTo& rated) {
  billing::FinalizeInput input;
  input.header = invoice_header(books, terms, bill_to, month, rated.currency);
  put_references(rated, input.header);
  input.current = rated.settled;
  input.usage = rated.usage;
  if (how.force) input.header.forced = billing::Forced{how.author, how.reason};
  TRY(input.earlier, rating.earlier(bill_to, rated.currency, month));
  TRY(auto seal, seal_invoice(std::move(input), books.store.invoices()));
  Invoice invoice;
  TRY(books.store.drafts_of(seal, how.author, invoice));
  TRY(check_review(books.store, invoice));
  return seal;
}

Result<std::vector<ledger::DocumentDraft>> finalizing_drafts(const InvoiceStore& store,
                                                             const billing::Seal& seal,
                                                             const InvoiceTerms& terms,
                                                             const std::string& author,
                                                             Invoice& invoice) {
  TRY(auto drafts, store.drafts_of(seal, author, invoice));
  for (const auto& text : terms.texts)
    if (!store.has_terms(billing::sha256_hex(text))) drafts.push_back(store.draft_of_terms(text));
  return drafts;
}

ReportTable invoices_report(const InvoiceStore& store, std::span<const Invoice> invoices) {
  ReportTable report;
  report.columns = {{"number"},      {"type"},  {"month"}, {"bill_to"},
                    {"total", true}, {"state"}, {"issued"}};
  for (const auto& invoice : invoices) {
    const auto& header = invoice.header;
    report.rows.push_back(
        {invoice.id(), std::string(to_string(header.type)), format_month(header.month),
         header.bill_to.id,
         header.currency.format_minor(invoice.total_minor) + " " + header.currency.code(),
         state_of(store, invoice), format_instant(header.issued_at)});
  }
  return report;
}

std::string state_of(const InvoiceStore& store, const Invoice& invoice) {
  if (const auto by = billing::voided_by(store.invoices(), invoice.number))
    return "void by " + billing::invoice_id(invoice.header.number_prefix, *by);
  for (const auto& later : store.invoices()) {
    if (later.number <= invoice.number || later.header.bill_to.id != invoice.header.bill_to.id)
      continue;
    for (const auto& line : later.lines)
      if (invoice.header.type == billing::InvoiceType::invoice &&
          line.type == billing::LineType::correction && line.month == invoice.header.month)
        return "corrected by " + later.id();
  }
  return "finalized";
}

}  // namespace gauger::exporters
