// Whether two sets of rollups say the same. A sum of products over their cells: linear, so that
// cells may be split and merged at will, and keyed by place and meter, so that two wrongs do not
// make a right. Kept per UTC day, so that a difference has a date. Cells count at the place where
// they are kept, or would be (whole_days.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ledger/hash.h"
#include "ledger/whole_days.h"
#include "schemas/instant.h"

namespace gauger::ledger {

class RollupSum {
 public:
  explicit RollupSum(WholeDays whole_days, std::map<int32_t, uint64_t> days = {})
      : whole_days_(std::move(whole_days)), days_(std::move(days)) {}
  const std::map<int32_t, uint64_t>& days() const { return days_; }

  void add(const Change& change) {
    WholeDays::Places places(whole_days_);
    for (const auto cell : change.cells) {
      const auto place = places.at(cell.place);
      auto& sum = day_of(place);
      sum += weight(place, 0) * static_cast<uint64_t>(cell.requests());
      cell.each([&](size_t meter, int64_t count) {
        sum += weight(place, meter + 1) * static_cast<uint64_t>(count);
      });
    }
    for (const auto& extra : change.extras) {
      const auto place = places.at(extra.place);
      day_of(place) +=
          weight(place, uint64_t{extra.name.value} << 8) * static_cast<uint64_t>(extra.count);
    }
  }
  void subtract(const RollupSum& other) {
    for (const auto& [day, sum] : other.days_) days_[day] -= sum;
    std::erase_if(days_, [](const auto& day) { return day.second == 0; });
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
    return days_[static_cast<int32_t>(utc_day_of(period_of(place), whole_days_.grain()))];
  }

  WholeDays whole_days_;
  std::map<int32_t, uint64_t> days_;
};

}  // namespace gauger::ledger
