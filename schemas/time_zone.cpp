#include "schemas/time_zone.h"

#include <date/tz.h>

#include <array>
#include <cstdio>
#include <exception>

namespace gauger {
namespace {

const date::time_zone& zone_of(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

date::local_days local_date(const void* zone, Instant instant) {
  return date::floor<date::days>(zone_of(zone).to_local(instant));
}

Instant begin_of(const void* zone, date::local_days day) {
  return std::chrono::floor<Duration>(zone_of(zone).to_sys(day, date::choose::earliest));
}

}  // namespace

TimeZone TimeZone::utc() { return {"UTC", date::locate_zone("Etc/UTC")}; }

Result<TimeZone> TimeZone::find(std::string_view name) {
  try {
    return TimeZone{std::string(name), date::locate_zone(std::string(name))};
  } catch (const std::exception&) {
    return invalid_argument("'" + std::string(name) +
                            "' is not a time zone such as UTC or Europe/Berlin");
  }
}

int32_t TimeZone::local_day(Instant instant) const {
  return static_cast<int32_t>(local_date(zone_, instant).time_since_epoch().count());
}

Instant TimeZone::day_begin(int32_t local_day) const {
  return begin_of(zone_, date::local_days{date::days{local_day}});
}

int32_t TimeZone::local_month(Instant instant) const {
  const date::year_month_day day{local_date(zone_, instant)};
  return (static_cast<int>(day.year()) - 1970) * 12 +
         static_cast<int>(static_cast<unsigned>(day.month())) - 1;
}

Instant TimeZone::month_begin(int32_t local_month) const {
  const auto first = date::year{1970} / date::January / 1 + date::months{local_month};
  return begin_of(zone_, date::local_days{first});
}

Result<int32_t> parse_month(std::string_view text) {
  const auto first = parse_instant(std::string(text) + "-01");
  if (!first || text.size() != 7)
    return invalid_argument("'" + std::string(text.substr(0, 64)) +
                            "' is not a month such as 2027-01");
  return TimeZone::utc().local_month(first.value());
}

std::string format_month(int32_t month) {
  const auto year = 1970 + (month >= 0 ? month / 12 : -((11 - month) / 12));
  std::array<char, 32> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d", year, month - (year - 1970) * 12 + 1);
  return {text.data(), static_cast<size_t>(length)};
}

std::string format_day(int32_t day) {
  return format_instant(Instant{std::chrono::days{day}}).substr(0, 10);
}

}  // namespace gauger
