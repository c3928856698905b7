// Currencies of ISO 4217: how many digits their minor unit has, and rounding to it. The only
// place outside the allocation that knows what a cent is.
#pragma once

#include <string>
#include <string_view>

#include "billing/rational.h"
#include "schemas/result.h"

namespace gauger::billing {

class Currency {
 public:
  Currency() = default;  // XXX, "no currency"

  // Three capital letters; invalid_argument for anything else.
  static Result<Currency> find(std::string_view code);

  const std::string& code() const { return code_; }
  int minor_digits() const { return minor_digits_; }  // 2 for USD, 0 for JPY, 3 for KWD
  Int128 pico_per_minor() const;

  // Minor units nearest to an amount in pico-units.
  Int128 to_minor(const Rational& pico, Rounding rounding) const;
  Money from_minor(Int128 minor) const { return {checked_multiply(minor, pico_per_minor())}; }
  // "12.30" for 1230 cents.
  std::string format_minor(Int128 minor) const;

  friend bool operator==(const Currency&, const Currency&) = default;

 private:
  Currency(std::string code, int minor_digits)
      : code_(std::move(code)), minor_digits_(minor_digits) {}
  std::string code_ = "XXX";
  int minor_digits_ = 0;
};

}  // namespace gauger::billing
