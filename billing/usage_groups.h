// Adds up usage rows for rating: a cell per key, price choice and group of time. Private to
// billing; sized for a million rows.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "billing/rate.h"

namespace gauger::billing {

// Numbers the months, days or periods that rows lie in.
class UsageGroups {
 public:
  UsageGroups(const TimeZone& zone, Grouping grouping) : zone_(zone), grouping_(grouping) {}

  // invalid_argument where the row does not lie inside one month or day of the zone.
  Result<uint32_t> group_of(Instant from, Instant until);

  Instant begin(uint32_t group) const { return groups_[group].interval.from; }
  int32_t month(uint32_t group) const { return groups_[group].month; }  // as TimeZone counts them

 private:
  struct Group {
    Interval interval;
    int32_t month;
  };
  Result<uint32_t> find(Instant from, Instant until);

  TimeZone zone_;
  Grouping grouping_;
  std::vector<Group> groups_;
  std::unordered_map<int64_t, uint32_t> by_period_;
  std::unordered_map<int64_t, uint32_t> by_begin_;
  Instant latest_ = begin_of_time;
  uint32_t latest_group_ = 0;
};

struct UsageCell {
  uint32_t key;
  uint32_t choice;
  uint32_t group;
  int64_t requests;
  int64_t requests_untimed;  // of rows with tokens and no compute time
  Counts counts;
};

class UsageCells {
 public:
  Result<void> add(const UsageTable& usage, const UsageRow& row, uint32_t choice, uint32_t group);

  const UsageCell& at(uint32_t index) const { return cells_[index]; }
  // Cells by key, time and choice: the order of charges does not depend on that of rows.
  std::vector<uint32_t> ordered(const UsageGroups& groups) const;
  // Extras of a cell, by name.
  std::vector<std::pair<StringId, int64_t>> extras_of(uint32_t index) const;

 private:
  uint32_t find_or_add(uint32_t key, uint32_t choice, uint32_t group);
  void grow();

  std::vector<UsageCell> cells_;
  std::vector<uint32_t> slots_;  // open addressing; index + 1, 0 is empty
  uint32_t latest_ = 0;
  std::unordered_map<uint32_t, std::vector<std::pair<StringId, int64_t>>> extras_;
};

}  // namespace gauger::billing
