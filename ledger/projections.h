// The rollups: fine cells in immutable packed segments on disk, coarse sums per day and month in
// memory, and the newest changes, not yet packed, beside both. All of it is folded from durable
// blocks and can be thrown away; a watermark says where to fold on after a crash.
//
// One thread publishes, one flushes; any thread asks.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>

#include "ledger/block.h"
#include "ledger/config.h"
#include "ledger/dictionary.h"
#include "ledger/rollup_codec.h"
#include "ledger/spare_memory.h"
#include "ledger/store.h"
#include "ledger/summary.h"
#include "ledger/usage_query.h"
#include "ledger/whole_days.h"

namespace gauger::ledger {

class Projections {
 public:
  static constexpr size_t unflushed_cells_max = 600'000;  // some 56 bytes each
  // While they are packed more come; no more than that.
  static constexpr size_t unflushed_cells_most = unflushed_cells_max / 2 * 3;
  static constexpr size_t segments_max = 8;  // of one day, and of the day sums

  // The zone must have been checked against the grain.
  Projections(Store& store, const LedgerConfig& config, const Dictionary& dictionary);

  // Reads the stored segments up to block `last_sequence`, and returns the key of the first
  // block that is not in them.
  Result<BlockKey> load(uint64_t last_sequence);

  // A change without cells, with memory for them that was used before.
  Change take_memory();
  // Makes the fold of the next block visible. `next` is the key of the block after it.
  void publish(Change change, BlockKey next);
  // Packs what is in memory when there is enough of it (or at all, with `force`). Others may
  // publish and ask meanwhile; one thread packs.
  Result<void> flush(bool force);
  size_t unflushed_cells() const;

  // The rows of the query, complete up to the table's as_of_sequence. invalid_argument when the
  // interval is off the grain, refused when it needs parts of days that are kept whole.
  Result<UsageTable> usage(const UsageQuery& query) const;

  // Rollups of before are kept by whole days.
  Instant fine_from() const { return whole_days_.fine_from(); }

  uint64_t published_sequence() const { return published_.load(std::memory_order_acquire); }

 private:
  struct Watermark {
    BlockKey next{0, 1};
  };
  std::shared_ptr<const Change> make_run(Change change);
  Result<void> load_segments(uint64_t last_sequence);
  void pack_by_day(const Change& merged, WriteSet& writes);
  // Segments of one day or of the day sums, oldest first.
  struct Segment {
    uint64_t last_sequence;
    size_t bytes;
  };
  using Segments = std::vector<Segment>;
  Result<void> merge_behind(WriteSet& writes);
  Result<size_t> merge_range(const std::string& from, const std::string& until,
                             const std::string& key, WriteSet& writes);
  Result<void> merge_newest(char kind, uint32_t day, Segments& segments, WriteSet& writes);
  Result<void> scan_segments(const UsageQuery& query, Aggregator& aggregator) const;

  Store& store_;
  const LedgerConfig config_;
  const Dictionary& dictionary_;
  TimeZone zone_;
  WholeDays whole_days_;  // as they were when it was loaded
  std::atomic<uint64_t> published_{0};

  // Of the last flush: their memory serves the next one.
  Change merged_;
  Change days_;
  RollupWriter writer_;
  // Of runs that were packed: about as many as lie between two flushes.
  std::shared_ptr<SpareMemory<Cells>> spare_cells_ = std::make_shared<SpareMemory<Cells>>(24);

  // Segments on disk: shared while they are read, alone while they change. Taken before runs_.
  mutable std::shared_mutex segments_mutex_;
  std::map<uint32_t, Segments> segments_;  // by UTC day
  Segments summary_segments_;

  mutable std::shared_mutex runs_mutex_;
  std::vector<std::shared_ptr<const Change>> runs_;  // not yet on disk
  size_t unflushed_cells_ = 0;
  Watermark watermark_;  // of what is published
  Summary summary_;
};

// Folds a stretch of the journal, oldest first, into `visit`: every block from `from` ({0, 0}: the
// first ever) up to sequence `last`. An error where one is missing: refused where retention
// archived it, else corruption.
using VisitBlock = std::function<Result<void>(const Block& block, std::string_view bytes)>;
Result<void> scan_journal(const Store& store, BlockKey from, uint64_t last, Columns columns,
                          const VisitBlock& visit);

}  // namespace gauger::ledger
