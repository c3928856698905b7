// Sums rollup cells into the rows of an answer: filters, groups and buckets them. One use, one
// thread. Figure: some 10 ns per cell.
#pragma once

#include <memory>
#include <optional>

#include "ledger/dictionary.h"
#include "ledger/flat_map.h"
#include "ledger/fold.h"
#include "ledger/usage_query.h"
#include "schemas/time_zone.h"
#include "schemas/usage_table.h"

namespace gauger::ledger {

// Zeroes what is not in the mask.
UsageKey reduce(const UsageKey& key, DimensionMask mask);

class Aggregator {
 public:
  // The query, the dictionary and the zone outlive the aggregator.
  Aggregator(const UsageQuery& query, const Dictionary& dictionary, std::chrono::minutes grain,
             const TimeZone& zone)
      : query_(query), dictionary_(dictionary), grain_(grain), zone_(zone) {}

  // Once, before anything is added. invalid_argument when a filter names what cannot be.
  Result<void> prepare();

  // Adds what lies in the query's interval.
  void add(const Change& change);
  // For sums that are kept by day or month: the bucket that begins there, and the group of a key
  // that has at least the query's dimensions; none where a filter leaves it out.
  uint32_t bucket_at(Instant begin);
  std::optional<uint32_t> group_of(const UsageKey& key);
  uint32_t groups() const { return groups_.size(); }
  void add(uint32_t bucket, uint32_t group, int64_t requests, const Counts& counts);
  void add_extra(uint32_t bucket, uint32_t group, StringId name, int64_t count);

  UsageTable finish();

 private:
  static constexpr uint32_t filtered = UINT32_MAX;
  static constexpr uint32_t unknown = UINT32_MAX - 1;
  struct Match {
    Dimension dimension;
    uint32_t value;
  };

  uint32_t group_of(uint32_t key);
  uint32_t bucket_of(uint32_t period);
  UsageRow& row_of(uint32_t bucket, uint32_t group);

  const UsageQuery& query_;
  const Dictionary& dictionary_;
  std::chrono::minutes grain_;
  const TimeZone& zone_;
  std::vector<Match> matches_;
  bool nothing_ = false;  // a filter names a string that the ledger has never seen

  // In pages: a question about a few keys must not pay for millions of them.
  static constexpr uint32_t page_keys = 1024;
  std::vector<std::unique_ptr<uint32_t[]>> group_of_key_;
  KeyDictionary groups_;
  std::vector<Instant> buckets_;
  FlatMap bucket_of_begin_;
  uint32_t last_period_ = UINT32_MAX;
  uint32_t last_bucket_ = 0;
  std::vector<uint32_t> row_of_group_;  // of the first bucket; plus one, 0: none
  FlatMap row_of_;                      // of the others
  std::vector<UsageRow> rows_;
  struct Extra {
    uint32_t row;
    StringId name;
    int64_t count;
  };
  std::vector<Extra> extras_;
};

}  // namespace gauger::ledger
