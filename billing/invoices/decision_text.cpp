#include "billing/invoices/decision_text.h"

#include "billing/invoices/line_json.h"
#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::billing {

std::string decision_text(const Decision& decision) { return decision_json(decision).canonical(); }

Result<Decision> parse_decision_text(std::string_view json, std::string_view file) {
  TRY(const auto root, parse_json(json, file));
  return parse_decision(file, root);
}

std::string review_text(const Review& review) {
  JsonValue object;
  object["bill_to"] = review.bill_to;
  object["month"] = format_month(review.month);
  object["currency"] = review.currency.code();
  object["total"] = review.currency.format_minor(review.total_minor);
  object["by"] = review.by;
  object["at"] = format_instant(review.at);
  return object.canonical();
}

Result<Review> parse_review_text(std::string_view json, std::string_view file) {
  TRY(const auto root, parse_json(json, file));
  TRY(auto fields, JsonFields::of(file, root, "a review"));
  Review review;
  TRY(review.bill_to, fields.text("bill_to"));
  TRY(review.month, fields.month("month"));
  TRY(review.currency, fields.currency("currency"));
  TRY(review.total_minor, fields.minor("total", review.currency));
  TRY(review.by, fields.text("by"));
  TRY(review.at, fields.instant("at"));
  TRY(fields.finish());
  return review;
}

Result<Price> parse_price_text(std::string_view text) {
  constexpr std::string_view separator = " per ";
  const auto at = text.find(separator);
  const auto wrong = [&] {
    return invalid_argument("'" + std::string(text.substr(0, 64)) +
                            "' is not a price such as \"5 per million\"");
  };
  if (at == std::string_view::npos) return wrong();
  const auto per = find_name<Per>(per_names, text.substr(at + separator.size()));
  if (!per) return wrong();
  Price price;
  price.per = *per;
  TRY(const auto pico, parse_decimal(text.substr(0, at)));
  const auto units = units_of(*per);
  constexpr Int128 price_max = Int128{1'000'000} * pico_per_unit;
  if (pico < 0 || pico > price_max) return wrong();
  if (*per == Per::hour) {
    price.unit = {static_cast<int64_t>(pico), units};
    return price;
  }
  if (pico % units != 0)
    return invalid_argument("the price '" + std::string(text.substr(0, 64)) +
                            "' has more than twelve decimals for a single unit");
  price.unit = {static_cast<int64_t>(pico / units), 1};
  return price;
}

}  // namespace gauger::billing
