// Why: the benchmark's shape hangs on these draws, and they must be the same everywhere.
#include "tools/load/alias_table.h"

#include <numeric>

#include "tests/catch.h"
#include "tools/load/quantiles.h"
#include "tools/load/random.h"

using namespace gauger::load;

namespace {

std::vector<uint64_t> draw(const AliasTable& table, uint64_t draws) {
  std::vector<uint64_t> counts(table.size());
  Random random(7);
  for (uint64_t i = 0; i < draws; ++i) ++counts[table.at(random.next())];
  return counts;
}

}  // namespace

TEST_CASE("an alias table draws in proportion to its weights", "[load]") {
  const std::vector<uint64_t> weights = {5, 0, 1, 90, 4};
  const auto counts = draw(AliasTable(weights), 1'000'000);
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto expected = static_cast<int64_t>(weights[i] * 10'000);
    CHECK(std::abs(static_cast<int64_t>(counts[i]) - expected) <= 1'500);
  }
  CHECK(counts[1] == 0);
  CHECK(draw(AliasTable({3}), 10) == std::vector<uint64_t>{10});
}

TEST_CASE("the extremes of the random bits stay inside the table and the quantiles", "[load]") {
  const AliasTable table({1, 2, 3});
  CHECK(table.at(0) < 3);
  CHECK(table.at(~uint64_t{0}) < 3);
  Quantiles quantiles{};
  std::iota(quantiles.points.begin(), quantiles.points.end(), 1'000);
  CHECK(quantiles.at(0) == 1'000);
  CHECK(quantiles.at(~uint64_t{0}) == 1'127);
  CHECK(quantiles.at(uint64_t{64} << 57) == 1'064);
  quantiles.points[128] = 1'000'000'000;
  CHECK(quantiles.at(~uint64_t{0} >> 1 | uint64_t{1} << 63) > 999'000'000);
}

TEST_CASE("weights of Zipf's law fall as the rank's power", "[load]") {
  const auto harmonic = zipf_weights(1'000, 1'000);
  const auto largest = uint64_t{1} << 40;
  CHECK(harmonic[0] == largest);
  for (const size_t rank : {2u, 3u, 10u, 999u, 1'000u}) {
    const auto product = harmonic[rank - 1] * rank;
    CHECK(product > largest - largest / 1'000'000);
    CHECK(product < largest + largest / 1'000'000);
  }
  CHECK(zipf_weights(3, 0) == std::vector<uint64_t>{largest, largest, largest});
  // 4^1.5 = 8 and 9^0.5 = 3.
  CHECK(zipf_weights(4, 1'500)[3] >> 20 == largest >> 23);
  CHECK(zipf_weights(9, 500)[8] >> 20 == (largest / 3) >> 20);
  // The 40th power of two is one unit; what is beyond has no weight left.
  CHECK(zipf_weights(1'024, 4'000)[1'023] == 1);
}

TEST_CASE("streams of random numbers are fixed for ever", "[load]") {
  // The first outputs of splitmix64 with seed 1234567, as its author published them.
  Random random(1'234'567);
  CHECK(random.next() == 6'457'827'717'110'365'317U);
  CHECK(random.next() == 3'203'168'211'198'807'973U);
  CHECK(random.next() == 9'817'491'932'198'370'423U);
  CHECK(Random(1, 0).next() != Random(1, 1).next());
  CHECK(Random(1, 0).next() != Random(2, 0).next());
  for (int i = 0; i < 1'000; ++i) {
    const auto value = random.between(-3, 3);
    CHECK((value >= -3 && value <= 3));
  }
}
