// Points in time: microseconds since 1970-01-01T00:00Z, no leap seconds, always UTC.
// Intervals are half-open, [from, until), everywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "schemas/result.h"

namespace gauger {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::sys_time<Duration>;

constexpr Instant instant_from_us(int64_t us) { return Instant{Duration{us}}; }
constexpr int64_t to_us(Instant instant) { return instant.time_since_epoch().count(); }

// RFC 3339 ("2027-01-16T00:00:00Z", "…T01:00:00.123+01:00") or a date ("2027-01-16", midnight
// UTC). Digits beyond the microsecond are cut off. Years 1 to 9999.
Result<Instant> parse_instant(std::string_view text);

// "2027-01-16T00:00:00Z", with a fraction only where there is one.
std::string format_instant(Instant instant);

struct Interval {
  Instant from;
  Instant until;  // exclusive
  constexpr bool contains(Instant instant) const { return from <= instant && instant < until; }
  auto operator<=>(const Interval&) const = default;
};

}  // namespace gauger
