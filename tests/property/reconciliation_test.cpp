// Statements derived from a ledger's usage, with variances of known class put into them: found
// again by class and cell. Recall counts injections of which every cell was named with the right
// class; precision counts variances that name nothing but injected cells.
#include <fmt/format.h>

#include <cstdio>

#include "tests/catch.h"
#include "tests/property/reconciliation_world.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

constexpr std::array injected_classes = {VarianceClass::outside_coverage,
                                         VarianceClass::currency,
                                         VarianceClass::cut_off,
                                         VarianceClass::tier,
                                         VarianceClass::cache_class,
                                         VarianceClass::duplicate,
                                         VarianceClass::missing_in_ledger,
                                         VarianceClass::missing_on_statement,
                                         VarianceClass::rate,
                                         VarianceClass::quantity,
                                         VarianceClass::provider_only_fee,
                                         VarianceClass::tax};

struct Score {
  int injected = 0;
  int recalled = 0;
  int found = 0;
  int right = 0;
  double recall() const { return injected == 0 ? 1.0 : 1.0 * recalled / injected; }
  double precision() const { return found == 0 ? 1.0 : 1.0 * right / found; }
};

using Scores = std::map<VarianceClass, Score>;

using Seen = std::set<std::pair<std::string, std::string>>;

Seen seen_of(const Reconciliation& result, const Variance& variance) {
  Seen seen;
  for (const auto& part : result.matched.parts_of(variance))
    seen.emplace(std::string(to_string(variance.variance_class)),
                 cell_label(result.grain, result.grain.cells[part.cell].key));
  return seen;
}

void score(const World& world, const Reconciliation& result, Scores& scores) {
  Seen found;
  for (const auto& variance : result.matched.variances) found.merge(seen_of(result, variance));
  Seen truth;
  for (const auto& injection : world.injections()) {
    auto& of_class = scores[injection.variance_class];
    ++of_class.injected;
    of_class.recalled +=
        std::includes(found.begin(), found.end(), injection.where.begin(), injection.where.end());
    truth.insert(injection.where.begin(), injection.where.end());
  }
  for (const auto& variance : result.matched.variances) {
    const auto seen = seen_of(result, variance);
    auto& of_class = scores[variance.variance_class];
    ++of_class.found;
    of_class.right += std::includes(truth.begin(), truth.end(), seen.begin(), seen.end());
  }
}

void print(std::string_view title, const Scores& scores) {
  fmt::print("{}\n  {:<22}{:>9}{:>9}{:>11}\n", title, "class", "injected", "recall", "precision");
  for (const auto& [variance_class, of_class] : scores)
    fmt::print("  {:<22}{:>9}{:>9.3f}{:>11.3f}\n", to_string(variance_class), of_class.injected,
               of_class.recall(), of_class.precision());
  std::fflush(stdout);
}

// The totals are explained to the last digit, whatever was injected.
void check_totals(const Reconciliation& result) {
  auto total = result.ledger_total;
  for (const auto& variance : result.matched.variances) total += variance.amount();
  CHECK(total == result.statement_total);
  auto by_class = result.ledger_total;
  for (const auto& of_class : result.classes) by_class += of_class.amount();
  CHECK(by_class == result.statement_total);
}

Scores single(Tells tells, uint64_t seed, int rounds) {
  Scores scores;
  for (const auto variance_class : injected_classes)
    for (int round = 0; round < rounds; ++round) {
      World world(seed++);
      REQUIRE(world.inject(variance_class, {}));
      const auto result = world.reconcile(tells).value();
      check_totals(result);
      score(world, result, scores);
    }
  return scores;
}

}  // namespace

TEST_CASE("a statement derived from the ledger matches it in every cell", "[billing]") {
  for (const auto tells : {Tells::both, Tells::amounts, Tells::quantities}) {
    const auto result = World(1).reconcile(tells).value();
    CHECK(result.matched.variances.empty());
    CHECK(result.difference().is_zero());
    CHECK(result.shares.matched == Rational(Int128{1}));
    CHECK(result.shares.explained == Rational(Int128{1}));
  }
}

TEST_CASE("a single variance of every class is named and nothing else is", "[billing]") {
  const auto scores = single(Tells::both, 1'000, 60);
  print("quantities and amounts, one injection", scores);
  for (const auto& [variance_class, of_class] : scores) {
    INFO(to_string(variance_class));
    CHECK(of_class.recall() == 1.0);
    CHECK(of_class.precision() == 1.0);
  }
}

TEST_CASE("amounts alone name every class that moves money", "[billing]") {
  const auto scores = single(Tells::amounts, 2'000, 40);
  print("amounts only, one injection", scores);
  for (const auto& [variance_class, of_class] : scores) {
    INFO(to_string(variance_class));
    CHECK(of_class.recall() == 1.0);
    CHECK(of_class.precision() == 1.0);
  }
}

TEST_CASE("quantities alone name every class that moves tokens", "[billing]") {
  auto scores = single(Tells::quantities, 3'000, 40);
  print("quantities only, one injection", scores);
  // Money that such a report cannot show.
  for (const auto hidden : {VarianceClass::rate, VarianceClass::currency,
                            VarianceClass::provider_only_fee, VarianceClass::tax}) {
    CHECK(scores[hidden].found == 0);
    scores.erase(hidden);
  }
  for (const auto& [variance_class, of_class] : scores) {
    INFO(to_string(variance_class));
    CHECK(of_class.recall() == 1.0);
    CHECK(of_class.precision() == 1.0);
  }
}

TEST_CASE("up to five overlapping variances are told apart nine times in ten", "[billing]") {
  Scores scores;
  uint64_t seed = 4'000;
  for (int round = 0; round < 400; ++round) {
    World world(seed++);
    std::mt19937_64 random(seed);
    // All of them in one account and model, within three days of one another.
    Window window;
    window.account = static_cast<int>(random() % 2);
    window.model = static_cast<int>(random() % 3);
    window.day_from = 2 + static_cast<int>(random() % 8);
    window.day_until = window.day_from + 3;
    const auto wanted = 2 + random() % 4;
    while (world.injected() < wanted)
      static_cast<void>(world.inject(injected_classes[random() % injected_classes.size()], window));
    const auto result = world.reconcile(Tells::both).value();
    check_totals(result);
    score(world, result, scores);
  }
  print("quantities and amounts, two to five injections in one account, model and three days",
        scores);
  for (const auto& [variance_class, of_class] : scores) {
    INFO(to_string(variance_class));
    CHECK(of_class.recall() >= 0.9);
    CHECK(of_class.precision() >= 0.9);
  }
}
