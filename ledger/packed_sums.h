// The sums of one day or month by team and kind of usage (usage_kinds.h): packed, since there are
// millions, and what was added lately beside them as it is. A team's lie together. Not thread-safe;
// projections.h locks.
//
// Figures: some 20 bytes per kind instead of 108; an addition costs some 20 ns, most of it for
// packing anew whenever an eighth has been added; a kind of a team that is asked for some 15 ns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ledger/bytes.h"
#include "ledger/cells.h"

namespace gauger::ledger {

// Where a kind's sum lies: those of a team together.
struct KindOfTeam {
  uint32_t team;
  uint32_t kind;
  auto operator<=>(const KindOfTeam&) const = default;
};

// The first place at or after `from` whose value is not below `wanted`, searched in growing steps:
// neighbours cost a few comparisons, far ones the logarithm of their distance.
template <class T>
size_t seek(std::span<const T> sorted, size_t from, const T& wanted) {
  size_t step = 1;
  size_t low = from;
  while (low + step < sorted.size() && sorted[low + step] < wanted) {
    low += step;
    step *= 2;
  }
  const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(low);
  const auto end =
      sorted.begin() + static_cast<std::ptrdiff_t>(std::min(sorted.size(), low + step + 1));
  return static_cast<size_t>(std::lower_bound(begin, end, wanted) - sorted.begin());
}

class PackedSums {
 public:
  // One cell for each of the kinds, which ascend.
  void add(std::span<const CellView> cells, std::span<const KindOfTeam> kinds);

  // Calls visit(kind, sum), at most twice for one kind: what it has is the sum of both.
  template <class Visit>
  void each(Visit&& visit) const {
    visit_packed(0, kinds_.size(), visit);
    for (size_t at = 0; at < recent_kinds_.size(); ++at) visit(recent_kinds_[at].kind, recent_[at]);
  }
  // The same for the kinds of a team, ascending; those that lie beside follow.
  template <class Visit>
  void each_of(uint32_t team, Visit&& visit) const {
    const auto rows = rows_of(team);
    visit_packed(rows.begin, rows.end, visit);
    for (auto at = seek<KindOfTeam>(recent_kinds_, 0, {team, 0});
         at < recent_kinds_.size() && recent_kinds_[at].team == team; ++at)
      visit(recent_kinds_[at].kind, recent_[at]);
  }

 private:
  struct Rows {
    size_t begin;
    size_t end;
  };
  struct TeamBegin {
    uint32_t team;
    uint32_t row;
    bool operator<(const TeamBegin& other) const { return team < other.team; }
  };

  template <class Visit>
  void visit_packed(size_t from, size_t until, Visit&& visit) const {
    if (from == until) return;
    ByteReader reader(std::string_view(bytes_).substr(begins_[from]));
    for (auto at = from; at < until; ++at) visit(kinds_[at], unpack(reader));
  }
  Rows rows_of(uint32_t team) const;
  void add_recent(std::span<const CellView> cells, std::span<const KindOfTeam> kinds);
  void pack_recent();
  static Sum unpack(ByteReader& reader);

  // Packed: requests, the mask of meters that are not zero, these (zigzag varints).
  std::vector<TeamBegin> teams_;  // that have any
  std::vector<uint32_t> kinds_;   // of each team ascending
  std::vector<uint64_t> begins_;  // where each one's bytes begin
  std::string bytes_;
  std::vector<KindOfTeam> recent_kinds_;
  std::vector<Sum> recent_;
};

}  // namespace gauger::ledger
