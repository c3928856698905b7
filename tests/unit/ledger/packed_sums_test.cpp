// The oracle is a map of sums. Cells come in batches as flushes bring them: ascending kinds, old
// and new ones mixed, values that cancel out, and numbers of every length.
#include "ledger/packed_sums.h"

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
    std::vector<Cell> cells;
    std::vector<uint32_t> kinds;
    for (const auto& [kind, cell] : chosen) {
      kinds.push_back(kind);
      cells.push_back(cell);
      expected[kind].add({cell.requests, cell.counts});
    }
    packed.add(cells, kinds);
    REQUIRE(same(all_of(packed), expected));
  }
  std::vector<uint32_t> wanted = {0, 1, 7'777, 15'000, 15'001, 40'000, UINT32_MAX};
  Sums found;
  packed.each_of(wanted, [&](size_t i, const Sum& sum) { found[wanted[i]].add(sum); });
  for (const auto kind : wanted) {
    CAPTURE(kind);
    REQUIRE(found.contains(kind) == expected.contains(kind));
    if (found.contains(kind)) CHECK(same({{kind, found[kind]}}, {{kind, expected[kind]}}));
  }
}

TEST_CASE("a kind whose sum has come to nothing adds nothing", "[ledger]") {
  PackedSums packed;
  const std::vector<uint32_t> kinds = {5};
  const std::vector<Cell> counted = {{0, 3, {1, 2}}};
  const std::vector<Cell> taken = {{0, -3, {-1, -2}}};
  packed.add(counted, kinds);
  packed.add(taken, kinds);
  for (const auto& [kind, sum] : all_of(packed)) CHECK(sum.is_zero());
}

}  // namespace gauger::ledger
