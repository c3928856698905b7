#include "schemas/money.h"

#include <algorithm>
#include <array>

namespace gauger {

std::string to_string(Int128 value) {
  std::array<char, 48> digits{};
  auto position = digits.size();
  Uint128 magnitude =
      value < 0 ? Uint128{0} - static_cast<Uint128>(value) : static_cast<Uint128>(value);
  // Division of 128 bits is slow, and mostly there are fewer.
  for (; magnitude > UINT64_MAX; magnitude /= 10)
    digits[--position] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
  auto rest = static_cast<uint64_t>(magnitude);
  do {
    digits[--position] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) digits[--position] = '-';
  return {digits.data() + position, digits.size() - position};
}

namespace {

Error malformed(std::string_view text) {
  return invalid_argument("'" + std::string(text.substr(0, 64)) + "' is not a decimal number");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The parts of a decimal literal: its significant digits and where the point stands.
struct Literal {
  bool negative = false;
  std::string digits;           // without the point
  int64_t fraction_digits = 0;  // how many of them stand behind the point, exponent applied
};

Result<Literal> read_literal(std::string_view text) {
  Literal literal;
  auto rest = text;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    literal.negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  bool point = false;
  while (!rest.empty() && (is_digit(rest[0]) || (rest[0] == '.' && !point))) {
    if (rest[0] == '.') {
      point = true;
    } else {
      literal.digits.push_back(rest[0]);
      if (point) ++literal.fraction_digits;
    }
    rest.remove_prefix(1);
  }
  if (literal.digits.empty() || literal.digits.size() > 400) return malformed(text);
  if (rest.empty()) return literal;
  if (rest[0] != 'e' && rest[0] != 'E') return malformed(text);
  rest.remove_prefix(1);
  bool exponent_negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    exponent_negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest.empty() || rest.size() > 3 || !std::all_of(rest.begin(), rest.end(), is_digit))
    return malformed(text);
  int64_t exponent = 0;
  for (const char c : rest) exponent = exponent * 10 + (c - '0');
  literal.fraction_digits += exponent_negative ? exponent : -exponent;
  return literal;
}

}  // namespace

Result<Int128> parse_decimal(std::string_view text, int digits) {
  TRY(auto literal, read_literal(text));
  auto& all = literal.digits;
  while (literal.fraction_digits > digits && all.back() == '0' && all.size() > 1) {
    all.pop_back();
    --literal.fraction_digits;
  }
  if (std::all_of(all.begin(), all.end(), [](char c) { return c == '0'; })) return Int128{0};
  if (literal.fraction_digits > digits)
    return invalid_argument("'" + std::string(text) + "' has more than " + std::to_string(digits) +
                            " digits behind the point");
  const auto too_large = Error{ErrorCode::overflow, "'" + std::string(text) + "' is too large"};
  if (digits - literal.fraction_digits > 60) return too_large;
  all.append(static_cast<size_t>(digits - literal.fraction_digits), '0');
  Int128 value = 0;
  for (const char c : all) {
    if (!multiply_fits(value, 10, value) || !add_fits(value, c - '0', value)) return too_large;
  }
  return literal.negative ? -value : value;
}

std::string format_decimal(Int128 value, int digits, int digits_min) {
  auto text = to_string(value < 0 ? checked_subtract(0, value) : value);
  const auto width = static_cast<size_t>(digits);
  if (text.size() <= width) text.insert(0, width + 1 - text.size(), '0');
  const auto point = text.size() - width;
  auto fraction = text.substr(point);
  text.resize(point);
  while (fraction.size() > static_cast<size_t>(digits_min) && !fraction.empty() &&
         fraction.back() == '0')
    fraction.pop_back();
  if (!fraction.empty()) text += "." + fraction;
  return value < 0 ? "-" + text : text;
}

}  // namespace gauger
