// The coarse rollups: absolute values per civil day and month for what dashboards and reports
// ask most (namespace, team, provider, model, service tier, context tier, usage source). Held in
// memory, stored as packed changes per flush. Not thread-safe; projections.h locks.
#pragma once

#include <map>
#include <vector>

#include "ledger/aggregator.h"
#include "ledger/dictionary.h"
#include "ledger/flat_map.h"
#include "ledger/fold.h"
#include "schemas/time_zone.h"

namespace gauger::ledger {

inline constexpr DimensionMask summary_dimensions =
    mask_of(Dimension::name_space) | mask_of(Dimension::team) | mask_of(Dimension::provider) |
    mask_of(Dimension::model) | mask_of(Dimension::service_tier) |
    mask_of(Dimension::context_tier) | mask_of(Dimension::usage_source);

// Fine cells as day cells: place = local day << 32 | the first key of the change that has the same
// summary dimensions.
Change sum_days(const Change& fine, std::chrono::minutes grain, const TimeZone& zone,
                const Dictionary& dictionary);

class Summary {
 public:
  Summary(const Dictionary& dictionary, TimeZone zone)
      : dictionary_(dictionary), zone_(std::move(zone)) {}

  // Adds what sum_days made.
  void add(const Change& days);

  // Whether the query can be answered from days or months alone.
  bool answers(const UsageQuery& query) const;
  void answer(const UsageQuery& query, Aggregator& aggregator) const;

  size_t cells() const { return cells_.size(); }

 private:
  struct DayOrMonth {
    std::vector<uint32_t> cells;
  };
  struct SummaryCell {
    uint32_t key;
    int64_t requests;
    Counts counts;
  };
  uint32_t kind_of(uint32_t key);
  void add_to(std::map<int32_t, DayOrMonth>& table, FlatMap& index, int32_t when, uint32_t kind,
              const Cell& cell);

  const Dictionary& dictionary_;
  TimeZone zone_;
  KeyDictionary kinds_;                // reduced keys
  std::vector<uint32_t> key_of_kind_;  // the first key of each kind
  std::vector<uint32_t> kind_of_key_;
  FlatMap month_of_day_;
  std::vector<SummaryCell> cells_;
  std::map<int32_t, DayOrMonth> days_;
  std::map<int32_t, DayOrMonth> months_;
  FlatMap day_index_;  // day << 32 | kind -> cell
  FlatMap month_index_;
  std::map<std::pair<int32_t, uint32_t>, std::map<StringId, int64_t>> extras_;  // day, kind
};

}  // namespace gauger::ledger
