#include "ingest/numbers.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "ingest/check.h"
#include "schemas/int128.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const auto digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// The parts of a JSON number, by the grammar of RFC 8259.
struct JsonNumber {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

// Exponents beyond this make any number not whole or too large, whatever its digits.
constexpr int exponent_max = 1'000'000;

bool take_exponent(std::string_view& text, int& exponent) {
  if (!take(text, 'e') && !take(text, 'E')) return true;
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  const auto digits = take_digits(text);
  if (digits.empty()) return false;
  int magnitude = 0;
  for (const auto digit : digits)
    magnitude = magnitude > exponent_max ? exponent_max : magnitude * 10 + (digit - '0');
  exponent = negative ? -magnitude : magnitude;
  return true;
}

bool split(std::string_view text, JsonNumber& number) {
  number.negative = take(text, '-');
  number.whole = take_digits(text);
  if (number.whole.empty() || (number.whole.size() > 1 && number.whole[0] == '0')) return false;
  if (take(text, '.')) {
    number.fraction = take_digits(text);
    if (number.fraction.empty()) return false;
  }
  return take_exponent(text, number.exponent) && text.empty();
}

// Digits of whole and fraction as one integer times 10^exponent, at most 19 digits of it.
class Significand {
 public:
  explicit Significand(const JsonNumber& number) : exponent_(number.exponent) {
    for (const auto digit : number.whole) append(digit);
    for (const auto digit : number.fraction) {
      append(digit);
      --exponent_;
    }
    exponent_ += zeros_;
  }

  Whole value(bool negative, int64_t& out) const {
    if (value_ == 0) {
      out = 0;
      return Whole::ok;
    }
    if (exponent_ < 0) return Whole::not_whole;
    constexpr int digits_max = 19;
    if (overflow_ || exponent_ > digits_max) return Whole::too_large;
    Int128 result = value_;
    for (int i = 0; i < exponent_; ++i) result *= 10;  // below 10^38
    if (negative) result = -result;
    if (result < std::numeric_limits<int64_t>::min() ||
        result > std::numeric_limits<int64_t>::max())
      return Whole::too_large;
    out = static_cast<int64_t>(result);
    return Whole::ok;
  }

 private:
  // Trailing zeros are held back: they are an exponent, not precision.
  void append(char digit) {
    if (digit == '0') {
      ++zeros_;
      return;
    }
    for (; zeros_ > 0 && value_ != 0 && !overflow_; --zeros_) push(0);
    zeros_ = 0;
    push(digit - '0');
  }
  void push(int digit) {
    constexpr Int128 value_max = 1'000'000'000'000'000'000;
    if (value_ > value_max)
      overflow_ = true;
    else
      value_ = value_ * 10 + digit;
  }

  Int128 value_ = 0;
  int exponent_;
  int zeros_ = 0;
  bool overflow_ = false;
};

// --- times ----------------------------------------------------------------------------------

// Eight characters that are compared at once: '0' stands for any digit, all else for itself.
struct Shape {
  uint64_t characters = 0;
  uint64_t most = 0;  // by which the top bit is set of what differs by more than it may

  explicit constexpr Shape(std::string_view text) {
    for (size_t i = 0; i < 8; ++i) {
      characters |= uint64_t{static_cast<uint8_t>(text[i])} << (8 * i);
      most |= uint64_t{text[i] == '0' ? 0x80U - 10 : 0x80U - 1} << (8 * i);
    }
  }
  // False where the text has another shape. Else `pairs` has the number that digits i and i+1 make
  // at byte i.
  bool read(const char* at, uint64_t& pairs) const {
    constexpr uint64_t tops = 0x8080'8080'8080'8080;
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= characters;
    pairs = word * 10 + (word >> 8U);
    return ((((word & ~tops) + most) | word) & tops) == 0;
  }
};

constexpr Shape date_shape("0000-00-");
constexpr Shape time_shape("00T00:00");
constexpr Shape microseconds_shape(".000000Z");

int byte_of(uint64_t word, unsigned at) { return static_cast<int>(word >> (8 * at) & 0xFFU); }

// `count` digits at `at`, or -1.
int digits_at(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool is_between(int value, int low, int high) { return value >= low && value <= high; }

// Microseconds of ".123456789"; -1 where no digit follows the point.
int64_t take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  const auto digits = take_digits(text);
  if (digits.empty()) return -1;
  int64_t us = 0;
  for (size_t i = 0; i < 6; ++i) us = us * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return us;
}

// Seconds east of UTC of "Z" or "+hh:mm", which must be all that is left.
bool read_offset(std::string_view text, int64_t& seconds) {
  seconds = 0;
  if (text == "Z") return true;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  const auto hours = digits_at(text, 1, 2);
  const auto minutes = digits_at(text, 4, 2);
  if (!is_between(hours, 0, 23) || !is_between(minutes, 0, 59)) return false;
  seconds = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

Whole parse_json_integer(std::string_view text, int64_t& value) {
  JsonNumber number;
  if (!split(text, number)) return Whole::malformed;
  return Significand(number).value(number.negative, value);
}

Whole parse_digits(std::string_view text, int64_t& value) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return Whole::malformed;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size())
    return Whole::too_large;
  return error == std::errc() && end == text.data() + text.size() ? Whole::ok : Whole::malformed;
}

Instant parse_timestamp(std::string_view text) {
  constexpr size_t seconds_end = std::string_view("2027-01-16T00:00:00").size();
  uint64_t date_pairs = 0;
  uint64_t time_pairs = 0;
  if (text.size() <= seconds_end || !date_shape.read(text.data(), date_pairs) ||
      !time_shape.read(text.data() + 8, time_pairs) || text[16] != ':')
    return no_instant;
  using namespace std::chrono;
  const auto year_number = byte_of(date_pairs, 0) * 100 + byte_of(date_pairs, 2);
  const auto hours = byte_of(time_pairs, 3);
  const auto minutes = byte_of(time_pairs, 6);
  const auto seconds = digits_at(text, 17, 2);
  if (year_number < 1 || hours > 23 || minutes > 59 || !is_between(seconds, 0, 59))
    return no_instant;
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(byte_of(date_pairs, 5))},
                            day{static_cast<unsigned>(byte_of(time_pairs, 0))}};
  if (!date.ok()) return no_instant;
  int64_t us = 0;
  int64_t offset = 0;
  uint64_t us_pairs = 0;
  if (text.size() == seconds_end + 8 &&
      microseconds_shape.read(text.data() + seconds_end, us_pairs)) {
    us = byte_of(us_pairs, 1) * 10'000 + byte_of(us_pairs, 3) * 100 + byte_of(us_pairs, 5);
  } else {
    auto rest = text.substr(seconds_end);
    us = take_fraction(rest);
    if (us < 0 || !read_offset(rest, offset)) return no_instant;
  }
  const auto utc = int64_t{sys_days{date}.time_since_epoch().count()} * 86'400 + hours * 3600 +
                   minutes * 60 + seconds - offset;
  if (utc < timestamp_seconds_min || utc > timestamp_seconds_max) return no_instant;
  return instant_from_us(utc * 1'000'000 + us);
}

Instant parse_loose_timestamp(std::string_view text) {
  constexpr size_t date_end = std::string_view("2027-01-16").size();
  if (text.size() <= date_end || text.size() > 64) return no_instant;
  std::string full(text);
  if (full[date_end] == ' ') full[date_end] = 'T';
  const auto zone = full.find_first_of("Zz+-", date_end);
  if (zone == std::string::npos)
    full += 'Z';
  else if (full[zone] == 'z')
    full[zone] = 'Z';
  else if (full.size() - zone == 3)
    full += ":00";
  else if (full.size() - zone == 5 && full[zone] != 'Z')
    full.insert(zone + 3, ":");
  return parse_timestamp(full);
}

Instant parse_unix_time(std::string_view text, int digits) {
  JsonNumber number;
  if (!split(text, number)) return no_instant;
  // The digits before the point, once it was moved to the microsecond.
  std::string us(number.whole);
  us += number.fraction;
  const auto size = static_cast<int>(number.whole.size()) + number.exponent + 6 - digits;
  constexpr int digits_max = 18;
  if (size > digits_max) return no_instant;
  us.resize(static_cast<size_t>(std::max(size, 0)), '0');
  int64_t value = 0;
  if (!us.empty() && parse_digits(us, value) != Whole::ok) return no_instant;
  if (number.negative) value = -value;
  if (value < timestamp_seconds_min * 1'000'000 || value / 1'000'000 > timestamp_seconds_max)
    return no_instant;
  return instant_from_us(value);
}

}  // namespace gauger::ingest
