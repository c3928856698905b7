#include "ledger/projections.h"

#include <algorithm>
#include <mutex>

#include "ledger/bytes.h"
#include "ledger/crash_point.h"
#include "ledger/cut.h"
#include "ledger/rollup_codec.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view watermark_key = "H";

std::string encode_watermark(const BlockKey& next) {
  std::string bytes = encode(next);
  put(bytes, hash64(bytes));
  return bytes;
}

Result<BlockKey> decode_watermark(std::string_view bytes) {
  if (bytes.size() != 24 ||
      ByteReader(bytes.substr(16)).get<uint64_t>() != hash64(bytes.substr(0, 16)))
    return corruption("the rollups' watermark is damaged");
  return decode_block_key(bytes.substr(0, 16));
}

TimeZone zone_of(const LedgerConfig& config) {
  auto zone = TimeZone::find(config.time_zone);
  VERIFY(zone.has_value(), "a ledger's time zone was checked");
  return zone.value();
}

}  // namespace

Projections::Projections(Store& store, const LedgerConfig& config, const Dictionary& dictionary)
    : store_(store),
      config_(config),
      dictionary_(dictionary),
      zone_(zone_of(config)),
      whole_days_(config, {}),
      summary_(dictionary, zone_) {}

Result<BlockKey> Projections::load(uint64_t last_sequence) {
  TRY(whole_days_, read_whole_days(store_, config_));
  TRY(const auto stored, store_.get(Family::rollups, watermark_key));
  if (!stored) return watermark_.next;
  TRY(const auto next, decode_watermark(*stored));
  // Rollups are made of durable blocks only. Ones that are ahead belong to a ledger that was
  // rewound by hand; they are not believed.
  if (next.sequence > last_sequence + 1)
    return corruption("the rollups are ahead of the journal; run `gauger rebuild`");
  TRY(load_segments(last_sequence));
  watermark_.next = next;
  published_.store(next.sequence - 1, std::memory_order_release);
  return next;
}

Result<void> Projections::load_segments(uint64_t last_sequence) {
  TRY(store_.scan(Family::rollups, "F", "G",
                  [&](std::string_view key, std::string_view value) -> Result<bool> {
                    const auto last = ByteReader(key.substr(1 + sizeof(uint32_t))).get_key_u64();
                    segments_[day_of_segment(key)].push_back({last, value.size()});
                    return true;
                  }));
  summary_.learn_keys();
  return store_.scan(Family::rollups, "D", "E",
                     [&](std::string_view, std::string_view value) -> Result<bool> {
                       TRY(const auto days, decode_rollup(value));
                       if (days.last_sequence > last_sequence)
                         return corruption("a day's sums are ahead of the journal");
                       if (!summary_.knows(days))
                         return corruption("a day's sums name keys that nobody defined");
                       summary_segments_.push_back({days.last_sequence, value.size()});
                       summary_.add(days);
                       return true;
                     });
}

Change Projections::take_memory() {
  Change change;
  change.cells = spare_cells_->take();
  return change;
}

std::shared_ptr<const Change> Projections::make_run(Change change) {
  auto run = std::make_unique<Change>(std::move(change));
  // Few cells leave most of their memory to the next block at once.
  if (run->cells.used_bytes() < run->cells.memory_bytes() / 4 * 3) {
    Cells roomy = run->cells;
    std::swap(roomy, run->cells);
    roomy.clear();
    spare_cells_->give_back(std::move(roomy));
  }
  return {run.release(), [spare = spare_cells_](Change* done) {
            const std::unique_ptr<Change> owned(done);
            done->cells.clear();
            spare->give_back(std::move(done->cells));
          }};
}

void Projections::publish(Change change, BlockKey next) {
  auto run = make_run(std::move(change));
  const std::unique_lock lock(runs_mutex_);
  unflushed_cells_ += run->cells.size() + run->extras.size();
  runs_.push_back(std::move(run));
  watermark_.next = next;
  published_.store(next.sequence - 1, std::memory_order_release);
}

void Projections::pack_by_day(const Change& merged, WriteSet& writes) {
  const auto last = merged.last_sequence;
  each_day_segment(merged, config_.grain, writer_, [&](uint32_t day, std::string segment) {
    segments_[day].push_back({last, segment.size()});
    writes.put(Family::rollups, segment_key('F', day, last), std::move(segment));
  });
}

size_t Projections::unflushed_cells() const {
  const std::shared_lock lock(runs_mutex_);
  return unflushed_cells_;
}

Result<void> Projections::flush(bool force) {
  std::vector<std::shared_ptr<const Change>> runs;
  BlockKey next{};
  {
    const std::shared_lock lock(runs_mutex_);
    if (runs_.empty() || (!force && unflushed_cells_ < unflushed_cells_max)) return success();
    runs = runs_;
    next = watermark_.next;
  }
  std::vector<const Change*> changes;
  for (const auto& run : runs) changes.push_back(run.get());
  merge(changes, merged_);
  {
    const std::unique_lock lock(runs_mutex_);
    summary_.learn_keys();
  }
  sum_days(merged_, config_.grain, zone_, summary_.kinds(), days_);
  const auto& days = days_;
  WriteSet writes;
  writer_.add(days.cells, 0, days.cells.size());
  auto bytes = writer_.finish(days.first_sequence, days.last_sequence, days.extras);
  whole_days_.gather(merged_);
  const std::unique_lock segments_lock(segments_mutex_);
  summary_segments_.push_back({days.last_sequence, bytes.size()});
  writes.put(Family::rollups, segment_key('D', 0, days.last_sequence), std::move(bytes));
  pack_by_day(merged_, writes);
  writes.put(Family::rollups, std::string(watermark_key), encode_watermark(next));
  crash_point("before_pack");
  TRY(store_.write_projection(writes));
  crash_point("after_pack");
  {
    const std::unique_lock lock(runs_mutex_);
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(runs.size()));
    for (const auto& run : runs) unflushed_cells_ -= run->cells.size() + run->extras.size();
    summary_.add(days);
  }
  WriteSet merges;
  TRY(merge_behind(merges));
  if (merges.writes.empty()) return success();
  crash_point("before_merge");
  return store_.write_projection(merges);
}

Result<void> Projections::merge_behind(WriteSet& writes) {
  for (auto& [day, segments] : segments_) {
    TRY(merge_newest('F', day, segments, writes));
  }
  return merge_newest('D', 0, summary_segments_, writes);
}

// Reads the segments of a key range, replaces them by their sum under `key`. Returns its size.
Result<size_t> Projections::merge_range(const std::string& from, const std::string& until,
                                        const std::string& key, WriteSet& writes) {
  std::vector<RollupReader> parts;
  TRY(store_.scan(Family::rollups, from, until,
                  [&](std::string_view at, std::string_view value) -> Result<bool> {
                    TRY(auto part, RollupReader::open(value));
                    parts.push_back(std::move(part));
                    if (at != key) writes.remove(Family::rollups, std::string(at));
                    return true;
                  }));
  TRY(auto bytes, merge_rollups(parts, writer_));
  const auto size = bytes.size();
  writes.put(Family::rollups, key, std::move(bytes));
  return size;
}

// Where there are too many, the newest become one, with every older one that is no larger than what
// comes after it: a cell is written again only as often as what it lies in has doubled.
Result<void> Projections::merge_newest(char kind, uint32_t day, Segments& segments,
                                       WriteSet& writes) {
  if (segments.size() <= segments_max) return success();
  auto begin = segments.size() - segments_max / 2;
  size_t bytes = 0;
  for (auto at = begin; at < segments.size(); ++at) bytes += segments[at].bytes;
  while (begin > 0 && segments[begin - 1].bytes <= bytes) bytes += segments[--begin].bytes;
  const auto last = segments.back().last_sequence;
  TRY(bytes, merge_range(segment_key(kind, day, segments[begin].last_sequence),
                         segment_key(kind, day + 1, 0), segment_key(kind, day, last), writes));
  segments.resize(begin);
  segments.push_back({last, bytes});
  return success();
}

Result<void> Projections::scan_segments(const UsageQuery& query, Aggregator& aggregator) const {
  const auto& [from, until] = query.interval;
  const auto first = utc_day_of(period_at(to_us(from), config_.grain), config_.grain);
  const auto last = utc_day_of(period_at(to_us(until) - 1, config_.grain), config_.grain);
  return store_.scan(Family::rollups, segment_key('F', first, 0), segment_key('F', last + 1, 0),
                     [&](std::string_view, std::string_view value) -> Result<bool> {
                       TRY(const auto change, decode_rollup(value));
                       aggregator.add(change);
                       return true;
                     });
}

Result<UsageTable> Projections::usage(const UsageQuery& query) const {
  const auto& [from, until] = query.interval;
  const auto on_grain = [&](Instant instant) {
    return instant.time_since_epoch() % config_.grain == Duration{0};
  };
  if (from >= until || from < Instant{})
    return invalid_argument("the interval from " + format_instant(from) + " until " +
                            format_instant(until) + " is empty");
  if (!on_grain(from) || !on_grain(until))
    return invalid_argument("this ledger's grain is " + std::to_string(config_.grain.count()) +
                            " minutes; " + format_instant(on_grain(from) ? until : from) +
                            " does not fall on it");
  TRY(whole_days_.check(query));
  Aggregator aggregator(query, dictionary_, config_.grain, zone_);
  TRY(aggregator.prepare());
  const std::shared_lock segments_lock(segments_mutex_);
  std::vector<std::shared_ptr<const Change>> runs;
  uint64_t as_of = 0;
  const bool coarse = summary_.answers(query);
  {
    const std::shared_lock lock(runs_mutex_);
    as_of = watermark_.next.sequence - 1;
    runs = runs_;
    if (coarse) summary_.answer(query, aggregator);
  }
  if (!coarse) {
    TRY(scan_segments(query, aggregator));
  }
  for (const auto& run : runs) aggregator.add(*run);
  auto table = aggregator.finish();
  table.context_boundaries = config_.context_boundaries;
  table.as_of_sequence = as_of;
  return table;
}

namespace {

Result<void> read_identities(const Store& store, Block& block) {
  std::vector<std::string> chunks;
  TRY(store.scan(Family::identities, identity_chunk_key(block.first_row),
                 identity_chunk_key(block.first_row + block.records()),
                 [&](std::string_view, std::string_view value) -> Result<bool> {
                   chunks.emplace_back(value);
                   return true;
                 }));
  return ledger::read_identities(chunks, block);
}

}  // namespace

namespace {

Error missing_block(const Store& store, uint64_t sequence) {
  const auto name = "journal block " + std::to_string(sequence);
  const auto cut = read_cut_head(store);
  if (cut && sequence <= cut.value().sequence) return archived_error(cut.value(), name);
  return corruption(name + " is missing");
}

}  // namespace

Result<void> scan_journal(const Store& store, BlockKey from, uint64_t last, Columns columns,
                          const VisitBlock& visit) {
  auto expected = std::max<uint64_t>(from.sequence, 1);
  return store.scan(
      Family::journal, encode(from), {},
      [&](std::string_view key, std::string_view value) -> Result<bool> {
        TRY(const auto block_key, decode_block_key(key));
        if (block_key.sequence > last) return false;
        if (block_key.sequence != expected) return missing_block(store, expected);
        ++expected;
        TRY(auto block, decode_block(value, columns));
        if (block.sequence != block_key.sequence || block.first_row != block_key.first_row)
          return corruption("journal block " + std::to_string(block_key.sequence) +
                            " lies under another block's key");
        if (columns == Columns::all) {
          TRY(read_identities(store, block));
        }
        TRY(visit(block, value));
        return true;
      });
}

}  // namespace gauger::ledger
