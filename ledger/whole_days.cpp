#include "ledger/whole_days.h"

#include "ledger/cut.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

TimeZone zone_of(const LedgerConfig& config) {
  auto zone = TimeZone::find(config.time_zone);
  VERIFY(zone.has_value(), "a ledger's time zone was checked");
  return zone.value();
}

}  // namespace

WholeDays::WholeDays(const LedgerConfig& config, Instant fine_from)
    : grain_(config.grain),
      zone_(zone_of(config)),
      fine_from_(fine_from),
      fine_from_period_(period_at(to_us(fine_from), config.grain)) {}

Place WholeDays::Places::at(Place place) {
  const auto period = period_of(place);
  if (period >= days_.fine_from_period_) return place;
  if (period < day_begin_ || period >= day_end_) {
    const auto day = days_.zone_.local_day(period_begin(period, days_.grain_));
    // The first day may begin before the first period of all.
    day_begin_ = period_at(std::max(int64_t{0}, to_us(days_.zone_.day_begin(day))), days_.grain_);
    day_end_ = period_at(to_us(days_.zone_.day_begin(day + 1)), days_.grain_);
  }
  return place_of(day_begin_, key_of(place));
}

void WholeDays::gather(Change& change) const {
  const auto is_old = [&](Place place) { return period_of(place) < fine_from_period_; };
  if ((change.cells.empty() || !is_old(change.cells.place(0))) &&
      (change.extras.empty() || !is_old(change.extras.front().place)))
    return;
  Places places(*this);
  std::vector<Place> gathered;
  gathered.reserve(change.cells.size());
  for (const auto cell : change.cells) gathered.push_back(places.at(cell.place));
  Cells sorted;
  sum_cells(change.cells, gathered, sorted);
  change.cells = std::move(sorted);
  for (auto& extra : change.extras) extra.place = places.at(extra.place);
  const Change* one[] = {&change};
  change = merge(one);
}

Result<void> WholeDays::check(const UsageQuery& query) const {
  const auto& [from, until] = query.interval;
  if (from >= fine_from_) return success();
  // Nothing lies before the epoch: who begins there means everything.
  const auto begins_day = [&](Instant instant) {
    return instant == Instant{} || zone_.day_begin(zone_.local_day(instant)) == instant;
  };
  const bool by_part = query.bucket == Bucket::grain || query.bucket == Bucket::hour;
  if (!by_part && begins_day(from) && (until > fine_from_ || begins_day(until))) return success();
  const auto day = zone_.local_day(by_part || !begins_day(from) ? from : until);
  return Error{ErrorCode::refused,
               "the usage of " + format_day(day) + " is kept by whole days, as all before " +
                   format_day(zone_.local_day(fine_from_)) + " (" + zone_.name() +
                   "): retention gathered it. Ask for whole days or months, or "
                   "restore a backup, which has all"};
}

Result<WholeDays> read_whole_days(const Store& store, const LedgerConfig& config) {
  TRY(const auto fine_from, read_fine_from(store));
  return WholeDays(config, fine_from);
}

}  // namespace gauger::ledger
