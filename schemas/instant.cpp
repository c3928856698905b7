#include "schemas/instant.h"

#include <array>
#include <cstdlib>
#include <optional>

namespace gauger {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

// Reads exactly `count` digits and removes them.
std::optional<int> take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto y = take_digits(text, 4);
  if (!y || *y == 0 || !take(text, "-")) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return sys_days{date};
}

std::optional<Duration> take_time_of_day(std::string_view& text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  int64_t us = (int64_t{*hours} * 3600 + int64_t{*minutes} * 60) * 1'000'000;
  if (!take(text, ":")) return Duration{us};
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  us += int64_t{*seconds} * 1'000'000;
  if (!take(text, ".")) return Duration{us};
  int64_t scale = 100'000;
  size_t digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
    us += scale * (text[0] - '0');
    scale /= 10;
  }
  if (digits == 0) return std::nullopt;
  return Duration{us};
}

// "Z" or "+hh:mm"; the offset to subtract.
std::optional<Duration> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return Duration{0};
  if (text.empty()) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

// At least so many digits.
void put_digits(std::string& text, int64_t number, size_t width) {
  std::array<char, 20> digits{};
  auto at = digits.size();
  for (size_t i = 0; i < width || number != 0; ++i, number /= 10)
    digits[--at] = static_cast<char>('0' + number % 10);
  text.append(digits.data() + at, digits.size() - at);
}

}  // namespace

Result<Instant> parse_instant(std::string_view text) {
  const auto malformed = [&] {
    return invalid_argument("'" + std::string(text.substr(0, 64)) +
                            "' is not an RFC 3339 time such as 2027-01-16T00:00:00Z");
  };
  auto rest = text;
  const auto date = take_date(rest);
  if (!date) return malformed();
  if (rest.empty()) return Instant{*date};
  if (!take(rest, "Tt ")) return malformed();
  const auto time = take_time_of_day(rest);
  if (!time) return malformed();
  const auto offset = take_offset(rest);
  if (!offset || !rest.empty()) return malformed();
  return Instant{*date} + *time - *offset;
}

std::string format_instant(Instant instant) {
  const auto days = std::chrono::floor<std::chrono::days>(instant);
  const year_month_day date{days};
  const auto us = (instant - days).count();
  const auto seconds = us / 1'000'000;
  const int year = static_cast<int>(date.year());
  std::string text = year < 0 ? "-" : "";
  put_digits(text, std::abs(year), year < 0 ? 3 : 4);
  text += '-';
  put_digits(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  put_digits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  put_digits(text, seconds / 3600, 2);
  text += ':';
  put_digits(text, seconds / 60 % 60, 2);
  text += ':';
  put_digits(text, seconds % 60, 2);
  if (us % 1'000'000 != 0) {
    text += '.';
    put_digits(text, us % 1'000'000, 6);
    while (text.back() == '0') text.pop_back();
  }
  text += 'Z';
  return text;
}

}  // namespace gauger
