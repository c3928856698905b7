#include "billing/currency.h"

#include <algorithm>
#include <array>

namespace gauger::billing {
namespace {

// ISO 4217's exceptions from two digits.
constexpr std::array<std::string_view, 16> without_minor_unit = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
    "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF"};
constexpr std::array<std::string_view, 7> with_three_digits = {"BHD", "IQD", "JOD", "KWD",
                                                               "LYD", "OMR", "TND"};

template <size_t N>
bool holds(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

Result<Currency> Currency::find(std::string_view code) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), capital))
    return invalid_argument("'" + std::string(code.substr(0, 64)) +
                            "' is not a currency code such as USD");
  const int digits = holds(without_minor_unit, code) ? 0 : holds(with_three_digits, code) ? 3 : 2;
  return Currency(std::string(code), digits);
}

Int128 Currency::pico_per_minor() const {
  Int128 pico = pico_per_unit;
  for (int i = 0; i < minor_digits_; ++i) pico /= 10;
  return pico;
}

Int128 Currency::to_minor(const Rational& pico, Rounding rounding) const {
  return (pico / Rational(pico_per_minor())).rounded(rounding);
}

std::string Currency::format_minor(Int128 minor) const {
  return format_decimal(minor, minor_digits_, minor_digits_);
}

}  // namespace gauger::billing
