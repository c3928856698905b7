// Exact amounts of one currency, in pico-units (10^-12 of the currency). Prices are pico-units
// per single token (or other unit), so that 5 USD per million tokens is 5,000,000 pico and
// rating is an integer multiplication that never rounds. Rounding lives in billing only.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "schemas/int128.h"
#include "schemas/result.h"

namespace gauger {

inline constexpr int64_t pico_per_unit = 1'000'000'000'000;
inline constexpr int money_digits = 12;

struct Tokens {
  int64_t count;
  auto operator<=>(const Tokens&) const = default;
};

struct PricePerToken {
  int64_t pico;
  auto operator<=>(const PricePerToken&) const = default;
  // Micro-units per million tokens is the same number in pico-units per token.
  static constexpr PricePerToken from_micro_per_million(int64_t micro) { return {micro}; }
};

struct Money {
  Int128 pico = 0;
  auto operator<=>(const Money&) const = default;
  friend constexpr Money operator+(Money a, Money b) { return {checked_add(a.pico, b.pico)}; }
  friend constexpr Money operator-(Money a, Money b) { return {checked_subtract(a.pico, b.pico)}; }
  constexpr Money operator-() const { return {checked_subtract(0, pico)}; }
  constexpr Money& operator+=(Money other) { return *this = *this + other; }
  constexpr Money& operator-=(Money other) { return *this = *this - other; }
};

// Exact: two 63-bit magnitudes fit in 126 bits.
constexpr Money operator*(Tokens tokens, PricePerToken price) {
  return {Int128{tokens.count} * price.pico};
}

static_assert(Tokens{1'000'000} * PricePerToken::from_micro_per_million(3'000'000) ==
              Money{Int128{3} * pico_per_unit});  // 1M tokens at $3 per 1M.

// Parses a plain or scientific decimal ("0.000003", "-1.25", "4.5e-07") into
// value * 10^digits. Text with more fractional digits than `digits` (other than trailing
// zeros), a malformed number, or one that does not fit is invalid_argument / overflow.
Result<Int128> parse_decimal(std::string_view text, int digits = money_digits);

// value / 10^digits, without trailing zeros but with at least `digits_min` fraction digits:
// format_decimal(1'500'000'000'000) = "1.5", with digits_min 2 "1.50".
std::string format_decimal(Int128 value, int digits = money_digits, int digits_min = 0);

}  // namespace gauger
