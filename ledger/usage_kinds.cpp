#include "ledger/usage_kinds.h"

#include "ledger/aggregator.h"

namespace gauger::ledger {

void UsageKinds::learn() {
  const auto& keys = dictionary_.keys;
  const auto known = keys.size();
  kind_of_key_.reserve(known);
  for (auto key = this->keys(); key < known; ++key) {
    const auto reduced = reduce(keys.key(key), summary_dimensions);
    const auto kind = kinds_.intern(reduced, KeyDictionary::hash(reduced));
    VERIFY(kind, "there are no more kinds than keys");
    if (*kind == first_keys_.size()) {
      first_keys_.push_back(key);
      kinds_of_team_[reduced.team.value].push_back(*kind);
    }
    kind_of_key_.push_back(*kind);
  }
}

std::span<const uint32_t> UsageKinds::kinds_of_team(StringId team) const {
  const auto found = kinds_of_team_.find(team.value);
  return found == kinds_of_team_.end() ? std::span<const uint32_t>() : found->second;
}

}  // namespace gauger::ledger
