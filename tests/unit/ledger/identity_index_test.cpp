// The oracle is a multimap. Fingerprints crowd at both ends and in one place, where an index whose
// order is theirs has to push others aside and to grow.
#include "ledger/identity_index.h"

#include <map>
#include <random>

#include "tests/catch.h"

namespace gauger::ledger {
namespace {

constexpr uint64_t first_row = 1'000'000;

std::vector<uint64_t> rows_of(const IdentityIndex& index, Fingerprint fingerprint) {
  std::vector<uint64_t> rows;
  index.find(fingerprint, [&](uint64_t row) {
    rows.push_back(row);
    return false;
  });
  std::sort(rows.begin(), rows.end());
  return rows;
}

Fingerprint crowded(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0: return UINT64_MAX - random() % 300;
    case 1: return 1 + random() % 300;
    case 2: return (uint64_t{1} << 63) + random() % 5'000;
    default: return random() | 1;
  }
}

}  // namespace

TEST_CASE("an identity index finds every row of a fingerprint and no other", "[ledger]") {
  std::mt19937_64 random(7);
  IdentityIndex index(first_row);
  std::map<Fingerprint, std::vector<uint64_t>> expected;
  for (uint64_t row = first_row; row < first_row + 40'000; ++row) {
    const auto fingerprint = crowded(random);
    index.insert(fingerprint, row);
    expected[fingerprint].push_back(row);
  }
  REQUIRE(index.size() == 40'000);
  for (const auto& [fingerprint, rows] : expected) {
    REQUIRE(rows_of(index, fingerprint) == rows);
    const auto other = fingerprint + 1;
    if (other != 0 && !expected.contains(other)) REQUIRE(rows_of(index, other).empty());
  }
  auto walk = IdentityIndex::Walk(index);
  for (const auto& [fingerprint, rows] : expected)
    for (size_t i = 0; i < rows.size(); ++i) {
      REQUIRE(!walk.at_end());
      REQUIRE(walk.fingerprint() == fingerprint);
      REQUIRE(walk.row() >= first_row);
      walk.next();
    }
  CHECK(walk.at_end());
}

TEST_CASE("a hot index that is full holds an identity in sixteen bytes", "[ledger]") {
  std::mt19937_64 random(1);
  IdentityIndex index;
  for (uint64_t row = 0; row < 6'000'000; ++row) index.insert(random() | 1, row);
  CHECK(index.memory_bytes() <= 16 * index.size());
}

}  // namespace gauger::ledger
