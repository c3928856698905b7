// Civil time in an IANA time zone: which local day, month or year an instant lies in, and
// where such a period begins and ends in UTC, daylight saving included. Zones come from the
// system's tzdata. Thread-safe, cheap to copy.
#pragma once

#include <string>
#include <string_view>

#include "schemas/instant.h"

namespace gauger {

class TimeZone {
 public:
  static TimeZone utc();
  static Result<TimeZone> find(std::string_view name);  // e.g. "Europe/Berlin"; invalid_argument

  const std::string& name() const { return name_; }

  // Days since 1970-01-01 on the local calendar.
  int32_t local_day(Instant instant) const;
  // The first instant of that local day. Where midnight is skipped, the first one after it.
  Instant day_begin(int32_t local_day) const;

  // Months since 1970-01 on the local calendar.
  int32_t local_month(Instant instant) const;
  Instant month_begin(int32_t local_month) const;

 private:
  TimeZone(std::string name, const void* zone) : name_(std::move(name)), zone_(zone) {}
  std::string name_;
  const void* zone_;  // date::time_zone, owned by the date library's database for ever
};

// "2027-01" -> months since 1970-01.
Result<int32_t> parse_month(std::string_view text);
std::string format_month(int32_t month);
// "2027-01-16" from days since 1970-01-01.
std::string format_day(int32_t day);

}  // namespace gauger
