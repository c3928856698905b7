// Finds the cell of a key among some hundred thousand. Private to billing/reconciliation.
#pragma once

#include <vector>

#include "billing/reconciliation/grain.h"

namespace gauger::billing {

class CellIndex {
 public:
  explicit CellIndex(std::vector<Cell>& cells) : cells_(cells), slots_(1024, 0) {}

  uint32_t find_or_add(const CellKey& key) {
    if (cells_.size() * 2 >= slots_.size()) grow();
    auto& slot = slots_[find(key)];
    if (slot == 0) {
      cells_.emplace_back().key = key;
      slot = static_cast<uint32_t>(cells_.size());
    }
    return slot - 1;
  }

 private:
  static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ (hash >> 29);
  }
  static uint64_t hash_of(const CellKey& key) {
    auto hash = mix(static_cast<uint32_t>(key.day), uint64_t{key.account} << 32 | key.model);
    hash = mix(hash, uint64_t{key.service_tier} << 32 | key.token_class);
    return mix(hash, static_cast<uint64_t>(key.context_above) ^
                         (static_cast<uint64_t>(key.kind) << 56) ^
                         (static_cast<uint64_t>(key.outside) << 60));
  }
  size_t find(const CellKey& key) const {
    const auto mask = slots_.size() - 1;
    auto at = hash_of(key) & mask;
    while (slots_[at] != 0 && cells_[slots_[at] - 1].key != key) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (uint32_t i = 0; i < cells_.size(); ++i) slots_[find(cells_[i].key)] = i + 1;
  }

  std::vector<Cell>& cells_;
  std::vector<uint32_t> slots_;  // open addressing; index + 1, 0 is empty
};

}  // namespace gauger::billing
