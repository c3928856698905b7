// Exact rational numbers. Amounts are kept in pico-units of a currency and are whole numbers
// nearly always; a fraction appears only where a division was needed (prices per hour, shares
// of a total), and ends at the allocation in minor units. Never rounds by itself, never
// overflows: what leaves 128 bits continues with as many digits as it needs. A value type;
// copies may be used from several threads.
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>

#include "schemas/int128.h"
#include "schemas/money.h"
#include "schemas/result.h"

namespace gauger::billing {

// Every division that ends in a whole number names one of these.
enum class Rounding : uint8_t {
  floor,      // towards minus infinity
  half_even,  // to the nearest; a tie goes to the even neighbour
};

class Rational {
 public:
  Rational() = default;
  explicit Rational(Int128 whole) : whole_(whole) {}
  explicit Rational(Money money) : whole_(money.pico) {}
  // numerator / denominator; the denominator is not zero.
  static Rational ratio(Int128 numerator, Int128 denominator);

  bool is_whole() const { return fraction_ == nullptr; }
  bool is_zero() const { return is_whole() && whole_ == 0; }
  bool is_negative() const;

  // VERIFYs that the result fits 128 bits: inputs are bounded so that sums of money do.
  Int128 rounded(Rounding rounding) const;

  // Lowest terms, decimal digits; the denominator is positive.
  std::string numerator() const;
  std::string denominator() const;
  // Of decimal digits as above; invalid_argument for anything else, or beyond digits_max.
  static Result<Rational> parse(std::string_view numerator, std::string_view denominator);
  static constexpr size_t digits_max = 2'000;

  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator-(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend Rational operator/(const Rational& a, const Rational& b);  // b is not zero
  Rational operator-() const { return Rational() - *this; }
  Rational& operator+=(const Rational& other);
  Rational& operator-=(const Rational& other) { return *this = *this - other; }

  friend bool operator==(const Rational& a, const Rational& b) { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const Rational& a, const Rational& b);

 private:
  struct Fraction;  // a boost::multiprecision::cpp_rational
  explicit Rational(std::shared_ptr<const Fraction> fraction) : fraction_(std::move(fraction)) {}
  static Rational from(const Fraction& value);
  Fraction widened() const;

  Int128 whole_ = 0;
  // Set where the value is no whole number of 128 bits. Shared because it never changes, so
  // that a copy of a charge costs a count and no allocation.
  std::shared_ptr<const Fraction> fraction_;
};

// An amount in pico-units as a decimal of the currency: "1.5", exact where it has finitely many
// digits; otherwise as whole and fraction, "166.666666666666 2/3e-12".
std::string format_amount(const Rational& pico, int digits_min = 0);

// The same for programs: "0.0125" where twelve digits are enough, otherwise a fraction of the
// currency in lowest terms, "500/3". parse_exact() reads back every text that exact_amount() wrote,
// and no other.
std::string exact_amount(const Rational& pico);
Result<Rational> parse_exact(std::string_view text);

// A share of one in percent, "96.00 %".
std::string percent_text(const Rational& share, int digits = 2,
                         Rounding rounding = Rounding::half_even);

}  // namespace gauger::billing
