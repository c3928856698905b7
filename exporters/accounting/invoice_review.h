// Before a month is finalized: how each bill-to stands, and deciding what blocks it. Nothing is
// written here; decisions are for whoever appends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporters/accounting/invoice_making.h"

namespace gauger::exporters {

struct ReviewRow {
  std::string bill_to;
  std::string state;  // "draft", "in review by …", "finalized as …"
  std::string total;
  std::string currency;
  std::vector<billing::OpenBlocker> open;  // with those of the earlier months that it corrects
};
Result<ReviewRow> review_row(const InvoiceBooks& books, InvoiceRating& rating,
                             const InvoiceTerms& terms, const std::string& bill_to, int32_t month,
                             const RatedBillTo& rated);

ReportTable review_table(const std::vector<ReviewRow>& rows);

// A review of what the month would be invoiced as now.
Result<billing::Review> review_of(const InvoiceBooks& books, InvoiceRating& rating,
                                  const InvoiceTerms& terms, const std::string& bill_to,
                                  int32_t month, const RatedBillTo& rated, const std::string& by);

// One blocker by its id, or all of a kind.
struct Deciding {
  std::vector<std::string> blockers;
  std::string kind;
  billing::DecisionAction action = billing::DecisionAction::waive;
  std::optional<billing::Price> price;
  std::string by;
  std::string reason;
};
// "provisional-price", "defer" or "waive"; `name` is what the sentence calls it.
Result<billing::DecisionAction> parse_decision_action(std::string text, std::string_view name);
// Of what is open and meant; none where nothing is. invalid_argument: it cannot be decided so.
Result<std::vector<billing::Decision>> decisions_of(const Deciding& deciding,
                                                    const std::string& bill_to, int32_t month,
                                                    const RatedBillTo& rated, Instant now);

}  // namespace gauger::exporters
