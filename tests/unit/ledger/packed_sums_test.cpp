// The oracle is a map of sums. Cells come in batches as flushes bring them: by team and kind, old
// and new ones mixed, values that cancel out, and numbers of every length.
#include "ledger/packed_sums.h"

#include <array>
#include <map>
#include <random>

#include "tests/catch.h"

namespace gauger::ledger {
namespace {

using Sums = std::map<uint32_t, Sum>;

bool same(const Sums& a, const Sums& b) {
  const auto equal = [](const auto& left, const auto& right) {
    return left.first == right.first && left.second.requests == right.second.requests &&
           left.second.counts == right.second.counts;
  };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), equal);
}

Sums all_of(const PackedSums& sums) {
  Sums all;
  sums.each([&](uint32_t kind, const Sum& sum) { all[kind].add(sum); });
  return all;
}

Cell random_cell(std::mt19937_64& random) {
  Cell cell{0, static_cast<int64_t>(random() % 100) - 20, {}};
  for (size_t i = 0; i < meter_count; ++i)
    if (random() % 3 == 0)
      cell.counts[i] =
          static_cast<int64_t>(random() >> (2 + random() % 60)) * (random() % 8 == 0 ? -1 : 1);
  return cell;
}

// A kind belongs to one team.
KindOfTeam kind_of_team(uint32_t kind) { return {kind * 7 % 11, kind}; }

}  // namespace

TEST_CASE("packed sums are those of a map however they came", "[ledger]") {
  const auto seed = GENERATE(1u, 2u, 3u);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  PackedSums packed;
  Sums expected;
  // Enough for several packings, with stretches that nothing touches.
  for (int batch = 0; batch < 12; ++batch) {
    const auto first = static_cast<uint32_t>(random() % 20'000);
    std::map<uint32_t, Cell> chosen;
    for (int i = 0; i < 3'000; ++i)
      chosen[first + static_cast<uint32_t>(random() % 9'000)] = random_cell(random);
    std::map<KindOfTeam, Cell> by_team;
    for (const auto& [kind, cell] : chosen) {
      by_team[kind_of_team(kind)] = cell;
      expected[kind].add({cell.requests, cell.counts});
    }
    Cells cells;
    std::vector<KindOfTeam> kinds;
    for (const auto& [kind, cell] : by_team) {
      kinds.push_back(kind);
      cells.push_back(cell);
    }
    std::vector<CellView> views;
    for (const auto cell : cells) views.push_back(cell);
    packed.add(views, kinds);
    REQUIRE(same(all_of(packed), expected));
  }
  for (uint32_t team = 0; team < 12; ++team) {
    CAPTURE(team);
    Sums found;
    packed.each_of(team, [&](uint32_t kind, const Sum& sum) { found[kind].add(sum); });
    auto of_team = expected;
    std::erase_if(of_team, [&](const auto& sum) { return kind_of_team(sum.first).team != team; });
    CHECK(same(found, of_team));
    CHECK(found.empty() == (team == 11));
  }
}

TEST_CASE("a kind whose sum has come to nothing adds nothing", "[ledger]") {
  PackedSums packed;
  Cells cells;
  cells.push_back(Cell{0, 3, {1, 2}});
  cells.push_back(Cell{0, -3, {-1, -2}});
  const std::vector<KindOfTeam> kinds = {{2, 5}};
  for (size_t i = 0; i < cells.size(); ++i) packed.add(std::array{cells[i]}, kinds);
  for (const auto& [kind, sum] : all_of(packed)) CHECK(sum.is_zero());
}

}  // namespace gauger::ledger
