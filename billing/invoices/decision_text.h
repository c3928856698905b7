// Decisions and reviews of months that are not finalized yet, as the documents that record them.
// Canonical JSON; values.
#pragma once

#include "billing/invoices/invoice.h"

namespace gauger::billing {

// What somebody looked at before it is finalized. What is finalized must still be that.
struct Review {
  std::string bill_to;
  int32_t month = 0;
  Currency currency;
  Int128 total_minor = 0;
  std::string by;
  Instant at;
};

std::string decision_text(const Decision& decision);
Result<Decision> parse_decision_text(std::string_view json, std::string_view file);

std::string review_text(const Review& review);
Result<Review> parse_review_text(std::string_view json, std::string_view file);

// "5 per million" as a flat price; "unit", "thousand", "million" and "hour" as in price books.
Result<Price> parse_price_text(std::string_view text);

}  // namespace gauger::billing
