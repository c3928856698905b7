#include "billing/reconciliation/exact_number.h"

namespace gauger::billing {
namespace {

Rational power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return Rational(power);
}

}  // namespace

Result<Rational> read_exact(std::string_view text, int digits) {
  // Nearly every number fits the first try.
  for (const int more : {0, 6, 12, 18, 24}) {
    const auto value = parse_decimal(text, digits + more);
    if (!value.has_value()) {
      if (value.error().code == ErrorCode::overflow || more == 24) return value.error();
      continue;
    }
    const auto limit = Rational(Int128{statement_number_max}) * power_of_ten(digits);
    auto exact = Rational(value.value());
    if (more != 0) exact = exact / power_of_ten(more);
    if (exact > limit || exact < -limit)
      return invalid_argument("'" + std::string(text.substr(0, 64)) + "' is beyond any statement");
    return exact;
  }
  return invalid_argument("'" + std::string(text.substr(0, 64)) + "' is not a decimal number");
}

std::string exact_text(const Rational& value, int digits) {
  return format_amount(digits == money_digits ? value
                                              : value * power_of_ten(money_digits - digits));
}

}  // namespace gauger::billing
