// The sums of one day or month by kind of usage (usage_kinds.h): packed, since there are millions,
// and what was added lately beside them as it is. Not thread-safe; projections.h locks.
//
// Figures: some 20 bytes per kind instead of 108; an addition costs some 20 ns, most of it for
// packing anew whenever an eighth has been added; a kind that is asked for some 50 ns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ledger/fold.h"

namespace gauger::ledger {

struct Sum {
  int64_t requests = 0;
  Counts counts{};

  bool is_zero() const {
    int64_t any = requests;
    for (const auto count : counts) any |= count;
    return any == 0;
  }
  void add(const Sum& other) {
    requests += other.requests;
    for (size_t i = 0; i < meter_count; ++i) counts[i] += other.counts[i];
  }
};

// The first place at or after `from` whose value is not below `wanted`, searched in growing steps:
// neighbours cost a few comparisons, far ones the logarithm of their distance.
size_t seek(std::span<const uint32_t> sorted, size_t from, uint32_t wanted);

class PackedSums {
 public:
  // Cell i is of kinds[i], which ascend.
  void add(std::span<const Cell> cells, std::span<const uint32_t> kinds);

  // Calls visit(kind, sum), at most twice for one kind: what it has is the sum of both.
  template <class Visit>
  void each(Visit&& visit) const {
    for (size_t at = 0; at < kinds_.size(); ++at) visit(kinds_[at], unpack(at));
    for (size_t at = 0; at < recent_kinds_.size(); ++at) visit(recent_kinds_[at], recent_[at]);
  }
  // The same for some kinds, which ascend: calls visit(i, sum) for wanted[i].
  template <class Visit>
  void each_of(std::span<const uint32_t> wanted, Visit&& visit) const {
    find(kinds_, wanted, [&](size_t i, size_t at) { visit(i, unpack(at)); });
    find(recent_kinds_, wanted, [&](size_t i, size_t at) { visit(i, recent_[at]); });
  }

 private:
  template <class Visit>
  static void find(std::span<const uint32_t> kinds, std::span<const uint32_t> wanted,
                   Visit&& visit) {
    size_t at = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      at = seek(kinds, at, wanted[i]);
      if (at == kinds.size()) return;
      if (kinds[at] == wanted[i]) visit(i, at);
    }
  }
  void add_recent(std::span<const Cell> cells, std::span<const uint32_t> kinds);
  void pack_recent();
  Sum unpack(size_t at) const;

  // Packed: requests, the mask of meters that are not zero, these (zigzag varints).
  std::vector<uint32_t> kinds_;
  std::vector<uint64_t> begins_;  // where each one's bytes begin
  std::string bytes_;
  std::vector<uint32_t> recent_kinds_;
  std::vector<Sum> recent_;
};

}  // namespace gauger::ledger
