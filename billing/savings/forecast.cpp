#include "billing/savings/forecast.h"

#include <algorithm>
#include <array>
#include <map>

namespace gauger::billing {
namespace {

constexpr int32_t week_days = 7;

// Counts, and the requests behind them.
using Sums = std::array<int64_t, meter_count + 1>;

struct SlotOfDay {
  Duration since_midnight;
  uint32_t key;
  auto operator<=>(const SlotOfDay&) const = default;
};

}  // namespace

UsageTable forecast_usage(const UsageTable& usage, const TimeZone& zone, int32_t known_until,
                          int32_t first, int32_t until) {
  const auto from = known_until - forecast_weeks * week_days;
  const Interval known{zone.day_begin(from), zone.day_begin(known_until)};
  std::array<std::map<SlotOfDay, Sums>, week_days> weekdays;
  const auto weekday_of = [](int32_t day) {
    return static_cast<size_t>((day % week_days + week_days) % week_days);
  };
  for (const auto& row : usage.rows) {
    if (!known.contains(row.period)) continue;
    const auto day = zone.local_day(row.period);
    auto& sums = weekdays[weekday_of(day)][{row.period - zone.day_begin(day), row.key}];
    for (size_t i = 0; i < meter_count; ++i) sums[i] += row.counts[i];
    sums[meter_count] += row.requests;
  }
  UsageTable forecast = usage;
  forecast.rows.clear();
  forecast.extras.clear();
  std::map<uint32_t, Sums> carried;
  for (auto day = first; day < until; ++day) {
    const auto begin = zone.day_begin(day);
    const auto last = zone.day_begin(day + 1) - usage.grain;
    for (const auto& [slot, sums] : weekdays[weekday_of(day)]) {
      UsageRow row;
      row.period = std::min(begin + slot.since_midnight, Instant(last));
      row.key = slot.key;
      auto& carry = carried[slot.key];
      const auto mean = [&carry, &sums = sums](size_t i) {
        carry[i] += sums[i];
        const auto whole = carry[i] / forecast_weeks;
        carry[i] -= whole * forecast_weeks;
        return whole;
      };
      for (size_t i = 0; i < meter_count; ++i) row.counts[i] = mean(i);
      row.requests = mean(meter_count);
      forecast.rows.push_back(row);
    }
  }
  return forecast;
}

std::optional<Rational> forecast_error(const Rational& forecast, const Rational& actual) {
  if (actual.is_zero()) return std::nullopt;
  return (forecast - actual) / actual;
}

}  // namespace gauger::billing
