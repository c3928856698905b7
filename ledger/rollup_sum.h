// Whether two sets of rollups say the same. A sum of products over their cells: linear, so that
// cells may be split and merged at will, and keyed by place and meter, so that two wrongs do not
// make a right. Kept per UTC day, so that a difference has a date.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "ledger/fold.h"
#include "ledger/hash.h"
#include "schemas/instant.h"

namespace gauger::ledger {

class RollupSum {
 public:
  explicit RollupSum(std::chrono::minutes grain, std::map<int32_t, uint64_t> days = {})
      : grain_(grain), days_(std::move(days)) {}
  const std::map<int32_t, uint64_t>& days() const { return days_; }

  void add(const Change& change) {
    for (const auto& cell : change.cells) {
      auto& sum = day_of(cell.place);
      sum += weight(cell.place, 0) * static_cast<uint64_t>(cell.requests);
      for (size_t i = 0; i < meter_count; ++i)
        if (cell.counts[i] != 0)
          sum += weight(cell.place, i + 1) * static_cast<uint64_t>(cell.counts[i]);
    }
    for (const auto& extra : change.extras)
      day_of(extra.place) +=
          weight(extra.place, uint64_t{extra.name.value} << 8) * static_cast<uint64_t>(extra.count);
  }

  // The days on which the two differ, each in a sentence.
  void compare(const RollupSum& other, std::vector<std::string>& findings) const {
    for (const auto& [day, sum] : days_) {
      const auto found = other.days_.find(day);
      const auto theirs = found == other.days_.end() ? 0 : found->second;
      if (sum != theirs)
        findings.push_back("the rollups of " + format_day(day) +
                           " (UTC) are not the fold of the journal; run `gauger rebuild`");
    }
    for (const auto& [day, sum] : other.days_)
      if (sum != 0 && !days_.contains(day))
        findings.push_back("the rollups hold " + format_day(day) +
                           " (UTC), of which the journal knows nothing");
  }

 private:
  static uint64_t weight(Place place, uint64_t meter) {
    const uint64_t pair[] = {place, meter};
    return hash64({reinterpret_cast<const char*>(pair), sizeof pair}) | 1;
  }
  uint64_t& day_of(Place place) {
    return days_[static_cast<int32_t>(period_of(place) * grain_ / std::chrono::days{1})];
  }

  std::chrono::minutes grain_;
  std::map<int32_t, uint64_t> days_;
};

}  // namespace gauger::ledger
