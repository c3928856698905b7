#include "exporters/accounting/invoice_review.h"

#include <algorithm>

namespace gauger::exporters {

Result<ReviewRow> review_row(const InvoiceBooks& books, InvoiceRating& rating,
                             const InvoiceTerms& terms, const std::string& bill_to, int32_t month,
                             const RatedBillTo& rated) {
  const auto& currency = rated.currency;
  const billing::Booked booked(books.store.invoices(), bill_to, currency);
  if (const auto number = booked.invoice_of(month)) {
    const auto& invoice = books.store.invoices()[static_cast<size_t>(*number - 1)];
    return ReviewRow{bill_to,
                     "finalized as " + invoice.id(),
                     currency.format_minor(invoice.total_minor),
                     currency.code(),
                     {}};
  }
  TRY(const auto invoice, preview_invoice(books, rating, terms, bill_to, month, rated));
  TRY(const auto earlier, rating.earlier(bill_to, currency, month));
  const auto review = books.store.review(bill_to, month);
  std::string state = "draft";
  if (review)
    state = "in review by " + review->by +
            (review->total_minor == invoice.total_minor
                 ? ""
                 : " (at " + currency.format_minor(review->total_minor) + ")");
  return ReviewRow{bill_to, state, currency.format_minor(invoice.total_minor), currency.code(),
                   all_open(rated, earlier)};
}

ReportTable review_table(const std::vector<ReviewRow>& rows) {
  ReportTable table;
  table.columns = {{"bill_to"}, {"state"}, {"total", true}, {"currency"}, {"blockers", true}};
  for (const auto& row : rows)
    table.rows.push_back(
        {row.bill_to, row.state, row.total, row.currency, std::to_string(row.open.size())});
  return table;
}

Result<billing::Review> review_of(const InvoiceBooks& books, InvoiceRating& rating,
                                  const InvoiceTerms& terms, const std::string& bill_to,
                                  int32_t month, const RatedBillTo& rated, const std::string& by) {
  TRY(const auto invoice, preview_invoice(books, rating, terms, bill_to, month, rated));
  return billing::Review{bill_to, month, rated.currency, invoice.total_minor, by, books.now};
}

Result<billing::DecisionAction> parse_decision_action(std::string text, std::string_view name) {
  std::replace(text.begin(), text.end(), '-', '_');
  if (const auto found = find_name<billing::DecisionAction>(billing::decision_action_names, text))
    return *found;
  return invalid_argument(std::string(name) + " is provisional-price, defer or waive, not '" +
                          text + "'");
}

Result<std::vector<billing::Decision>> decisions_of(const Deciding& deciding,
                                                    const std::string& bill_to, int32_t month,
                                                    const RatedBillTo& rated, Instant now) {
  const auto is_meant = [&](const billing::OpenBlocker& blocker) {
    if (!deciding.kind.empty()) return to_string(blocker.blocker.kind) == deciding.kind;
    return std::find(deciding.blockers.begin(), deciding.blockers.end(), blocker.id) !=
           deciding.blockers.end();
  };
  std::vector<billing::Decision> decisions;
  for (const auto& blocker : rated.settled.open) {
    if (!is_meant(blocker)) continue;
    billing::Decision decision{blocker.id,
                               bill_to,
                               month,
                               deciding.action,
                               blocker.blocker.quantity,
                               deciding.price,
                               deciding.by,
                               deciding.reason,
                               now};
    TRY(check(decision, blocker));
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

}  // namespace gauger::exporters
