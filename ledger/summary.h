// The coarse rollups: absolute values per civil day and month for what dashboards and reports
// ask most (usage_kinds.h names the dimensions). Held in memory: packed per day and month in the
// order of their kinds (packed_sums.h), and flat per month for reports. Stored as packed changes
// per flush. Not thread-safe; projections.h locks.
//
// Figure: a flush adds a day's cells in some 50 ns each; a team's cells are found by search, not by
// reading everybody's; a month by team and model is one walk over its few sums.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ledger/aggregator.h"
#include "ledger/dictionary.h"
#include "ledger/fold.h"
#include "ledger/packed_sums.h"
#include "ledger/usage_kinds.h"
#include "schemas/time_zone.h"

namespace gauger::ledger {

// Fine cells as day cells: place = local day << 32 | the first key of that kind. The kinds know
// every key of the change. Into memory that is used again.
void sum_days(const Change& fine, std::chrono::minutes grain, const TimeZone& zone,
              const UsageKinds& kinds, Change& days);

class Summary {
 public:
  Summary(const Dictionary& dictionary, TimeZone zone)
      : dictionary_(dictionary),
        zone_(std::move(zone)),
        kinds_(dictionary.keys, summary_dimensions),
        report_kinds_(kinds_.kinds(), report_dimensions) {}

  // Must be called before sum_days and add, when there are new keys.
  void learn_keys() {
    kinds_.learn();
    report_kinds_.learn();
  }
  const UsageKinds& kinds() const { return kinds_; }

  // Whether the change is as sum_days makes it, with keys that were learned; a damaged one may
  // name any.
  bool knows(const Change& change) const;

  // Adds what sum_days made.
  void add(const Change& days);

  // Whether the query can be answered from days or months alone.
  bool answers(const UsageQuery& query) const;
  void answer(const UsageQuery& query, Aggregator& aggregator) const;

 private:
  using Table = std::map<int32_t, PackedSums>;  // by day or month

  int32_t month_of(int32_t day);
  void add_day(const Cells& cells, size_t from, size_t until);
  void add_to_report(int32_t month, std::span<const CellView> cells,
                     std::span<const KindOfTeam> kinds);
  bool has_whole_months(const UsageQuery& query) const;
  bool is_report(const UsageQuery& query) const;
  void answer_report(const UsageQuery& query, Aggregator& aggregator) const;
  void answer_team(const UsageQuery& query, StringId name, Aggregator& aggregator) const;
  // Calls visit(begin of the bucket, sums) for the days or months of a query.
  template <class Visit>
  void each_bucket(const UsageQuery& query, Visit&& visit) const;
  void answer_extras(const UsageQuery& query, Aggregator& aggregator) const;
  // Where the bucket of a day, or of a month, begins.
  Instant bucket_begin(const UsageQuery& query, int32_t when, bool is_month) const;

  const Dictionary& dictionary_;
  TimeZone zone_;
  UsageKinds kinds_;
  UsageKinds report_kinds_;  // of kinds_
  std::map<int32_t, int32_t> months_of_days_;
  Table days_;
  Table months_;
  std::map<int32_t, std::vector<Sum>> reports_;  // month -> by report kind
  std::map<std::pair<int32_t, uint32_t>, std::map<StringId, int64_t>> extras_;  // day, kind
};

}  // namespace gauger::ledger
