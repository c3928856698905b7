#include "ledger/backup/rollup_retention.h"

#include <algorithm>

#include "ledger/crash_point.h"
#include "ledger/projections.h"
#include "ledger/rollup_codec.h"
#include "ledger/rollup_sum.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

// A window of any quota lies within what is kept fine.
static_assert(limits::quota_window_max <= limits::admission_window);

Result<void> each_segment(const RocksStore& store, uint32_t first_day, uint32_t last_day,
                          const std::function<void(std::string_view, Change)>& visit) {
  return store.scan(Family::rollups, segment_key('F', first_day, 0),
                    segment_key('F', last_day + 1, 0),
                    [&](std::string_view key, std::string_view value) -> Result<bool> {
                      TRY(auto change, decode_rollup(value));
                      visit(key, std::move(change));
                      return true;
                    });
}

// One local day of the ledger, which lies on two UTC days or on one.
class Day {
 public:
  Day(RocksStore& store, std::chrono::minutes grain, Interval day)
      : store_(store),
        grain_(grain),
        begin_(period_at(std::max(int64_t{0}, to_us(day.from)), grain)),
        end_(period_at(to_us(day.until), grain)) {}

  // False where every cell of it lies where it should.
  Result<bool> gather() {
    TRY(each_segment(store_, utc_day_of(begin_, grain_), utc_day_of(end_ - 1, grain_),
                     [&](std::string_view key, Change change) {
                       keys_.emplace_back(key);
                       parts_.push_back(std::move(change));
                     }));
    bool any = false;
    for (auto& part : parts_) any = gather(part) || any;
    if (!any) return false;
    TRY(write());
    return true;
  }

 private:
  // Moves what lies within the day to where it begins; false where nothing does.
  bool gather(Change& change) const {
    bool any = false;
    const auto moved = [&](Place place) {
      const auto period = period_of(place);
      if (period <= begin_ || period >= end_) return place;
      any = true;
      return place_of(begin_, key_of(place));
    };
    std::vector<Place> places;
    for (const auto cell : change.cells) places.push_back(moved(cell.place));
    for (auto& extra : change.extras) extra.place = moved(extra.place);
    Cells sorted;
    sum_cells(change.cells, places, sorted);
    change.cells = std::move(sorted);
    return any;
  }

  // All in one write: the day is as it was, or gathered.
  Result<void> write() {
    std::vector<const Change*> changes;
    for (const auto& part : parts_) changes.push_back(&part);
    const auto merged = merge(changes);
    WriteSet writes;
    for (const auto& key : keys_) writes.remove(Family::rollups, key);
    RollupWriter writer;
    each_day_segment(merged, grain_, writer, [&](uint32_t day, std::string segment) {
      writes.put(Family::rollups, segment_key('F', day, merged.last_sequence), std::move(segment));
    });
    return store_.write_unlogged(writes);
  }

  RocksStore& store_;
  const std::chrono::minutes grain_;
  const uint32_t begin_;  // periods
  const uint32_t end_;
  std::vector<std::string> keys_;
  std::vector<Change> parts_;
};

}  // namespace

Result<Instant> fine_from_after(const RocksStore& store, const LedgerConfig& config, const Cut& cut,
                                int32_t before_day) {
  if (cut.head.sequence == 0) return cut.fine_from;
  Instant first_left{};
  TRY(scan_journal(store, {cut.head.next_row, cut.head.sequence + 1}, cut.head.sequence + 1,
                   Columns::documents, [&](const Block& block, std::string_view) -> Result<void> {
                     first_left = block.block_time;
                     return success();
                   }));
  TRY(const auto zone, TimeZone::find(config.time_zone));
  const auto day = std::min(before_day, zone.local_day(first_left - limits::admission_window));
  return std::max(cut.fine_from, zone.day_begin(day));
}

Result<void> move_fine_from(const RocksStore& store, const LedgerConfig& config, Instant fine_from,
                            uint64_t packed_through, Cut& cut) {
  const WholeDays before(config, cut.fine_from);
  const WholeDays after(config, fine_from);
  RollupSum stored_before(before);
  RollupSum stored_after(after);
  TRY(each_segment(store, 0, UINT32_MAX - 1, [&](std::string_view, const Change& change) {
    stored_before.add(change);
    stored_after.add(change);
  }));
  RollupSum folded_before(before, cut.days);
  RollupSum behind_cut(after);
  TRY(scan_journal(store, {cut.head.next_row, cut.head.sequence + 1}, packed_through, Columns::fold,
                   [&](const Block& block, std::string_view) -> Result<void> {
                     const auto change = fold(block, config.grain);
                     folded_before.add(change);
                     behind_cut.add(change);
                     return success();
                   }));
  std::vector<std::string> findings;
  folded_before.compare(stored_before, findings);
  if (!findings.empty()) return corruption(findings.front());
  stored_after.subtract(behind_cut);
  cut.days = stored_after.days();
  cut.fine_from = fine_from;
  return success();
}

Result<uint64_t> gather_days(RocksStore& store, const LedgerConfig& config, Instant fine_from,
                             const std::function<void(uint64_t, uint64_t)>& progress) {
  const auto end = period_at(to_us(fine_from), config.grain);
  std::optional<uint32_t> first;
  TRY(store.scan(Family::rollups, "F", segment_key('F', utc_day_of(end, config.grain) + 1, 0),
                 [&](std::string_view key, std::string_view) -> Result<bool> {
                   first = day_of_segment(key);
                   return false;
                 }));
  if (!first) return uint64_t{0};
  TRY(const auto zone, TimeZone::find(config.time_zone));
  const auto first_day = zone.local_day(Instant{std::chrono::days{*first}});
  const auto last_day = zone.local_day(fine_from);
  uint64_t gathered = 0;
  for (auto day = first_day; day < last_day; ++day) {
    TRY(const bool any,
        Day(store, config.grain, {zone.day_begin(day), zone.day_begin(day + 1)}).gather());
    if (any) {
      ++gathered;
      crash_point("day_gathered");
    }
    progress(static_cast<uint64_t>(day - first_day + 1),
             static_cast<uint64_t>(last_day - first_day));
  }
  if (gathered == 0) return gathered;
  TRY(store.flush());
  crash_point("days_gathered");
  TRY(store.compact(Family::rollups));
  return gathered;
}

}  // namespace gauger::ledger
