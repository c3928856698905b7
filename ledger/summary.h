// The coarse rollups: absolute values per civil day and month for what dashboards and reports
// ask most (usage_kinds.h names the dimensions). Held in memory, a flat array per day and month
// in the order of its kinds; stored as packed changes per flush. Not thread-safe;
// projections.h locks.
//
// Figure: a flush adds a day's cells by one walk over that day and one over its month, some
// 10 ns per cell; a team's cells are found by search, not by reading everybody's.
#pragma once

#include <map>
#include <vector>

#include "ledger/aggregator.h"
#include "ledger/dictionary.h"
#include "ledger/flat_map.h"
#include "ledger/fold.h"
#include "ledger/usage_kinds.h"
#include "schemas/time_zone.h"

namespace gauger::ledger {

// Fine cells as day cells: place = local day << 32 | the first key of that kind. The kinds know
// every key of the change.
Change sum_days(const Change& fine, std::chrono::minutes grain, const TimeZone& zone,
                const UsageKinds& kinds);

class Summary {
 public:
  Summary(const Dictionary& dictionary, TimeZone zone)
      : dictionary_(dictionary), zone_(std::move(zone)), kinds_(dictionary) {}

  // Must be called before sum_days and add, when there are new keys.
  void learn_keys() { kinds_.learn(); }
  const UsageKinds& kinds() const { return kinds_; }

  // Whether every key of the change was learned; a damaged one may name any.
  bool knows(const Change& change) const;

  // Adds what sum_days made.
  void add(const Change& days);

  // Whether the query can be answered from days or months alone.
  bool answers(const UsageQuery& query) const;
  void answer(const UsageQuery& query, Aggregator& aggregator) const;

 private:
  struct Sum {
    int64_t requests;
    Counts counts;
  };
  // The sums of one day or month, by kind, ascending.
  struct Sums {
    std::vector<uint32_t> kinds;
    std::vector<Sum> sums;
  };
  using Table = std::map<int32_t, Sums>;

  static void add_cells(Sums& to, std::span<const Cell> cells);
  int32_t month_of(int32_t day);
  class Groups;
  static void answer_from(const Sums& sums, uint32_t bucket, const std::vector<uint32_t>* wanted,
                          Groups& groups, Aggregator& aggregator);

  const Dictionary& dictionary_;
  TimeZone zone_;
  UsageKinds kinds_;
  std::map<int32_t, int32_t> months_of_days_;
  Table days_;
  Table months_;
  std::map<std::pair<int32_t, uint32_t>, std::map<StringId, int64_t>> extras_;  // day, kind
};

}  // namespace gauger::ledger
