#include "ledger/usage_kinds.h"

#include <algorithm>
#include <array>

#include "ledger/aggregator.h"

namespace gauger::ledger {

void UsageKinds::learn() {
  const auto known = keys_.size();
  kind_of_key_.reserve(known);
  // In groups: what a table misses the cache for is asked for before it is needed.
  constexpr uint32_t group = 32;
  std::array<UsageKey, group> reduced;
  std::array<uint64_t, group> hashes;
  for (auto begin = this->keys(); begin < known; begin += group) {
    const auto count = std::min(group, known - begin);
    for (uint32_t i = 0; i < count; ++i) {
      reduced[i] = reduce(keys_.key(begin + i), dimensions_);
      hashes[i] = KeyDictionary::hash(reduced[i]);
      kinds_.prefetch_slot(hashes[i]);
    }
    for (uint32_t i = 0; i < count; ++i) kinds_.prefetch_key(hashes[i]);
    for (uint32_t i = 0; i < count; ++i) {
      const auto kind = kinds_.intern(reduced[i], hashes[i]);
      VERIFY(kind, "there are no more kinds than keys");
      if (*kind == first_keys_.size()) {
        first_keys_.push_back(begin + i);
        const auto [team, fresh] = teams_.try_emplace(reduced[i].team.value, teams());
        if (fresh) kinds_of_team_.emplace_back();
        kinds_of_team_[team->second].push_back(*kind);
        team_of_kind_.push_back(team->second);
      }
      kind_of_key_.push_back(*kind);
    }
  }
}

std::optional<uint32_t> UsageKinds::find_team(StringId team) const {
  const auto found = teams_.find(team.value);
  if (found == teams_.end()) return std::nullopt;
  return found->second;
}

}  // namespace gauger::ledger
