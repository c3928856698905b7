#include "billing/rational.h"

#include <boost/multiprecision/cpp_int.hpp>
#include <limits>

namespace gauger::billing {

using Big = boost::multiprecision::cpp_int;
using BigRational = boost::multiprecision::cpp_rational;

struct Rational::Fraction {
  BigRational value;
};

namespace {

constexpr Int128 int128_max = static_cast<Int128>(~Uint128{0} >> 1);

Big widen(Int128 value) {
  const bool negative = value < 0;
  const auto magnitude =
      negative ? Uint128{0} - static_cast<Uint128>(value) : static_cast<Uint128>(value);
  Big big = static_cast<uint64_t>(magnitude >> 64);
  big <<= 64;
  big += static_cast<uint64_t>(magnitude);
  return negative ? Big(-big) : big;
}

// True where the value fits 128 bits (the lowest one left out, so that negation is safe).
bool narrow(const Big& value, Int128& out) {
  static const Big max = widen(int128_max);
  if (value > max || value < -max) return false;
  const Big magnitude = boost::multiprecision::abs(value);
  const auto high = static_cast<uint64_t>(magnitude >> 64);
  const auto low = static_cast<uint64_t>(magnitude & std::numeric_limits<uint64_t>::max());
  out = static_cast<Int128>((Uint128{high} << 64) | low);
  if (value < 0) out = -out;
  return true;
}

}  // namespace

Rational Rational::from(const Fraction& value) {
  Int128 whole = 0;
  namespace mp = boost::multiprecision;
  if (mp::denominator(value.value) == 1 && narrow(Big(mp::numerator(value.value)), whole))
    return Rational(whole);
  return Rational(std::make_shared<const Fraction>(value));
}

Rational::Fraction Rational::widened() const {
  return fraction_ ? *fraction_ : Fraction{BigRational(widen(whole_))};
}

Rational Rational::ratio(Int128 numerator, Int128 denominator) {
  VERIFY(denominator != 0, "a denominator is not zero");
  if (denominator == 1) return Rational(numerator);
  if (denominator != -1 && numerator % denominator == 0) return Rational(numerator / denominator);
  return from({BigRational(widen(numerator), widen(denominator))});
}

bool Rational::is_negative() const { return fraction_ ? fraction_->value < 0 : whole_ < 0; }

Rational operator+(const Rational& a, const Rational& b) {
  Int128 sum = 0;
  if (a.is_whole() && b.is_whole() && add_fits(a.whole_, b.whole_, sum)) return Rational(sum);
  return Rational::from({a.widened().value + b.widened().value});
}

Rational operator-(const Rational& a, const Rational& b) {
  Int128 difference = 0;
  if (a.is_whole() && b.is_whole() && !__builtin_sub_overflow(a.whole_, b.whole_, &difference))
    return Rational(difference);
  return Rational::from({a.widened().value - b.widened().value});
}

Rational operator*(const Rational& a, const Rational& b) {
  Int128 product = 0;
  if (a.is_whole() && b.is_whole() && multiply_fits(a.whole_, b.whole_, product))
    return Rational(product);
  return Rational::from({a.widened().value * b.widened().value});
}

Rational operator/(const Rational& a, const Rational& b) {
  VERIFY(!b.is_zero(), "a divisor is not zero");
  if (a.is_whole() && b.is_whole()) return Rational::ratio(a.whole_, b.whole_);
  return Rational::from({a.widened().value / b.widened().value});
}

Rational& Rational::operator+=(const Rational& other) {
  if (is_whole() && other.is_whole() && add_fits(whole_, other.whole_, whole_)) return *this;
  return *this = *this + other;
}

std::strong_ordering operator<=>(const Rational& a, const Rational& b) {
  if (a.is_whole() && b.is_whole()) return a.whole_ <=> b.whole_;
  const auto order = a.widened().value.compare(b.widened().value);
  return order <=> 0;
}

Int128 Rational::rounded(Rounding rounding) const {
  if (is_whole()) return whole_;
  const Big n = boost::multiprecision::numerator(fraction_->value);
  const Big d = boost::multiprecision::denominator(fraction_->value);
  Big quotient;
  Big remainder;
  divide_qr(n, d, quotient, remainder);
  if (remainder < 0) {
    remainder += d;
    --quotient;
  }
  if (rounding == Rounding::half_even) {
    const Big twice = remainder * 2;
    if (twice > d || (twice == d && bit_test(boost::multiprecision::abs(quotient), 0))) ++quotient;
  }
  Int128 result = 0;
  VERIFY(narrow(quotient, result), "a rounded amount fits 128 bits");
  return result;
}

std::string Rational::numerator() const {
  if (is_whole()) return to_string(whole_);
  return boost::multiprecision::numerator(fraction_->value).str();
}

std::string Rational::denominator() const {
  if (is_whole()) return "1";
  return boost::multiprecision::denominator(fraction_->value).str();
}

Result<Rational> Rational::parse(std::string_view numerator, std::string_view denominator) {
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.size() <= digits_max && (text[0] != '0' || text == "0") &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const bool negative = numerator.starts_with('-');
  if (negative) numerator.remove_prefix(1);
  if (!digits(numerator) || !digits(denominator) || denominator == "0")
    return invalid_argument("'" + std::string(numerator.substr(0, 40)) + "/" +
                            std::string(denominator.substr(0, 40)) + "' is not a fraction");
  const BigRational value{Big(std::string(numerator)), Big(std::string(denominator))};
  return from({negative ? BigRational(-value) : value});
}

std::string exact_amount(const Rational& pico) {
  if (pico.is_whole()) return format_decimal(pico.rounded(Rounding::floor));
  const auto units = pico / Rational(Int128{pico_per_unit});
  return units.numerator() + "/" + units.denominator();
}

Result<Rational> parse_exact(std::string_view text) {
  Rational pico;
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    TRY(const auto whole, parse_decimal(text));
    pico = Rational(whole);
  } else {
    TRY(const auto units, Rational::parse(text.substr(0, slash), text.substr(slash + 1)));
    pico = units * Rational(Int128{pico_per_unit});
  }
  if (exact_amount(pico) != text)
    return invalid_argument("'" + std::string(text.substr(0, 80)) + "' is not an exact amount");
  return pico;
}

std::string format_amount(const Rational& pico, int digits_min) {
  if (pico.is_whole())
    return format_decimal(pico.rounded(Rounding::floor), money_digits, digits_min);
  const bool negative = pico.is_negative();
  const Rational magnitude = negative ? -pico : pico;
  // Finitely many digits: the denominator divides a power of ten.
  Rational scaled = magnitude;
  for (int digits = money_digits; digits <= money_digits + 24; ++digits) {
    if (scaled.is_whole()) {
      const auto text = format_decimal(scaled.rounded(Rounding::floor), digits, digits_min);
      return negative ? "-" + text : text;
    }
    scaled = scaled * Rational(Int128{10});
  }
  const auto whole = magnitude.rounded(Rounding::floor);
  const auto rest = magnitude - Rational(whole);
  return (negative ? "-" : "") + format_decimal(whole, money_digits, money_digits) + " " +
         rest.numerator() + "/" + rest.denominator() + "e-12";
}

std::string percent_text(const Rational& share, int digits, Rounding rounding) {
  Int128 scale = 100;
  for (int i = 0; i < digits; ++i) scale *= 10;
  return format_decimal((share * Rational(scale)).rounded(rounding), digits, digits) + " %";
}

}  // namespace gauger::billing
