// Why: no sum tells a context tier, and a cent too much hangs on one token.
#include "billing/savings/context_judge.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

Program program() {
  return parse_program(
             "kind: program\nid: a\nversion: 1\ncurrency: USD\ngo_live: 2027-01\n"
             "teacher: {provider: p, model: t}\nstudent: {provider: q, model: s}\n"
             "ratios: [{from: 2027-01-01, input: 1.10}, {from: 2027-02-01, input: 5/4}]\n",
             "p.yaml")
      .value();
}

ContextTier tier(int64_t uncached, int64_t cached, std::string_view at) {
  const auto described = program();
  const std::array<int64_t, 2> boundaries = {1'100, 2'200};
  const ContextJudge judge(described, boundaries);
  Counts counts{};
  counts[static_cast<size_t>(Meter::input_uncached)] = uncached;
  counts[static_cast<size_t>(Meter::cache_read)] = cached;
  counts[static_cast<size_t>(Meter::output_text)] = 1'000'000;
  const auto from = parse_instant(at).value();
  return judge.tier_of(counts, {from, from + std::chrono::minutes{30}}).value();
}

}  // namespace

// 1,000 x 1.10 is the boundary itself, and 880 x 5/4 too.
TEST_CASE("a context boundary is judged strictly on the converted input", "[billing]") {
  CHECK(tier(600, 400, "2027-01-31T23:30:00Z") == 0);
  CHECK(tier(600, 401, "2027-01-31T23:30:00Z") == 1);
  CHECK(tier(2'000, 0, "2027-01-31T23:30:00Z") == 1);
  CHECK(tier(2'000, 1, "2027-01-31T23:30:00Z") == 2);
  CHECK(tier(880, 0, "2027-02-01T00:00:00Z") == 0);
  CHECK(tier(881, 0, "2027-02-01T00:00:00Z") == 1);
}

TEST_CASE("before any ratio a request keeps its own input", "[billing]") {
  CHECK(tier(1'100, 0, "2026-12-31T23:30:00Z") == 0);
  CHECK(tier(1'101, 0, "2026-12-31T23:30:00Z") == 1);
}

TEST_CASE("a ratio that begins inside a usage period is refused", "[billing]") {
  const auto described = program();
  const std::array<int64_t, 1> boundaries = {10};
  Counts counts{};
  counts[0] = 100;
  const auto from = parse_instant("2027-01-31T23:45:00Z").value();
  const auto refused =
      ContextJudge(described, boundaries).tier_of(counts, {from, from + std::chrono::minutes{30}});
  REQUIRE(refused.has_error());
  CHECK(refused.error().sentence.find("on the ledger's grain") != std::string::npos);
}
