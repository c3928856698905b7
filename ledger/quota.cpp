#include "ledger/quota.h"

#include <algorithm>

#include "ledger/dimension.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

constexpr int32_t days_in_week = 7;
// 1970-01-01 was a Thursday.
constexpr int32_t monday_before(int32_t day) {
  const auto since_monday = (day + 3) % days_in_week;
  return day - (since_monday < 0 ? since_monday + days_in_week : since_monday);
}

Interval hour_at(Instant instant, const TimeZone& zone) {
  const auto midnight = zone.day_begin(zone.local_day(instant));
  const auto hours = std::chrono::floor<std::chrono::hours>(instant - midnight);
  return {midnight + hours, midnight + hours + std::chrono::hours{1}};
}

bool on_grain(Instant instant, std::chrono::minutes grain) {
  return instant.time_since_epoch() % grain == Duration::zero();
}

Error bad(const Quota& quota, const std::string& what) {
  return invalid_argument("quota '" + quota.id + "' " + what);
}

}  // namespace

std::string to_string(const QuotaMeasure& measure) {
  switch (measure.kind) {
    case QuotaMeasure::Kind::meter: return std::string(gauger::to_string(measure.meter));
    case QuotaMeasure::Kind::tokens: return "tokens";
    case QuotaMeasure::Kind::requests: return "requests";
    case QuotaMeasure::Kind::cost: return "cost";
  }
  return {};
}

std::optional<Int128> amount_of(const QuotaMeasure& measure, const QuotaAmounts& amounts) {
  switch (measure.kind) {
    case QuotaMeasure::Kind::meter: return amounts.counts[static_cast<size_t>(measure.meter)];
    case QuotaMeasure::Kind::requests: return amounts.requests;
    case QuotaMeasure::Kind::cost: return amounts.cost;
    case QuotaMeasure::Kind::tokens: break;
  }
  Int128 tokens = 0;
  for (size_t meter = 0; meter < token_meter_count; ++meter) tokens += amounts.counts[meter];
  return tokens;
}

Interval QuotaWindow::at(Instant instant, std::chrono::minutes grain) const {
  switch (kind) {
    case Kind::hour: return hour_at(instant, zone);
    case Kind::day: {
      const auto day = zone.local_day(instant);
      return {zone.day_begin(day), zone.day_begin(day + 1)};
    }
    case Kind::week: {
      const auto monday = monday_before(zone.local_day(instant));
      return {zone.day_begin(monday), zone.day_begin(monday + days_in_week)};
    }
    case Kind::month: {
      const auto month = zone.local_month(instant);
      return {zone.month_begin(month), zone.month_begin(month + 1)};
    }
    case Kind::rolling: break;
  }
  const auto until = Instant{
      std::chrono::floor<std::chrono::minutes>(instant.time_since_epoch()) / grain * grain + grain};
  return {until - length, until};
}

Result<void> check(const Quota& quota, std::chrono::minutes grain) {
  if (quota.id.empty() || quota.id.size() > limits::text_bytes_max)
    return invalid_argument("a quota needs an id of 1 to " +
                            std::to_string(limits::text_bytes_max) + " bytes");
  if (quota.limit < 0) return bad(quota, "has a limit below zero");
  if (quota.measure.kind == QuotaMeasure::Kind::cost && quota.currency.empty())
    return bad(quota, "limits cost and names no currency");
  for (const auto& filter : quota.scope) {
    if (filter.dimension == Dimension::name_space)
      return bad(quota, "names a namespace in its scope; it belongs to one already");
    if (!is_text(filter.dimension) && !enum_value(filter.dimension, filter.value))
      return bad(quota, "has the scope '" + filter.value + "', which is not a value of " +
                            std::string(dimension_names[static_cast<size_t>(filter.dimension)]));
  }
  if (quota.window.kind == QuotaWindow::Kind::rolling) {
    if (quota.window.length <= grain || quota.window.length % grain != std::chrono::minutes{0} ||
        quota.window.length > limits::quota_window_max)
      return bad(quota,
                 "has a rolling window that is not a whole number of the ledger's periods "
                 "of " +
                     std::to_string(grain.count()) + " minutes, more than one and at most 31 days");
  } else {
    // Every rule change of a zone keeps its quarter hours; a winter and a summer day tell.
    for (const auto day : {19'723, 19'905})
      if (!on_grain(quota.window.zone.day_begin(day), grain))
        return bad(quota, "has the time zone " + quota.window.zone.name() +
                              ", whose days do not begin on the ledger's grain of " +
                              std::to_string(grain.count()) + " minutes");
  }
  if (!std::is_sorted(quota.warn_percent.begin(), quota.warn_percent.end(), std::less_equal<>()))
    return bad(quota, "has warning thresholds that do not rise");
  for (const auto percent : quota.warn_percent)
    if (percent < 1 || percent > 1000) return bad(quota, "warns outside of 1 to 1000 percent");
  return success();
}

}  // namespace gauger::ledger
