// A forecast of usage: what the same weekday and time of day had on average in the eight weeks
// before. It knows no trend and no holiday; its back-test says what that costs. Rows are whole
// counts, and the fractions are carried on, so that sums are right to one unit per key. Pure.
#pragma once

#include "billing/savings/company_cost.h"

namespace gauger::billing {

inline constexpr int32_t forecast_weeks = 8;

// Rows for the local days [first, until) from the 56 days before `known_until`, a local day.
UsageTable forecast_usage(const UsageTable& usage, const TimeZone& zone, int32_t known_until,
                          int32_t first, int32_t until);

// Forecast less actual, as a share of the actual; none where nothing was used.
std::optional<Rational> forecast_error(const Rational& forecast, const Rational& actual);

}  // namespace gauger::billing
