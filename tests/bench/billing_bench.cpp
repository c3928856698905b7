// A month of a company: 1,000,000 rollup rows of 10,000 teams, rated, rounded once and handed down
// to teams and lines. One thread. The bound is two seconds for all of it.
#include <benchmark/benchmark.h>

#include "billing/contracts/allocation_document.h"
#include "billing/rate.h"

namespace gauger::billing {
namespace {

constexpr int teams = 10'000;
constexpr int rows = 1'000'000;

PriceBook book() {
  return parse_price_book(R"(kind: price_book
id: list
version: v1
currency: USD
prices:
  - provider: p
    model: frontier
    per: million
    input_uncached: 5
    cache_read: 0.50
    output_text: 25
    context_above: {200000: {input_uncached: 10, cache_read: 1, output_text: 37.50}}
  - {provider: p, model: standard, per: million, input_uncached: 3, cache_read: 0.30, output_text: 15}
  - {provider: p, model: standard, effective_from: 2027-01-16, per: million, input_uncached: 2, cache_read: 0.20, output_text: 10}
  - {provider: p, model: small, per: million, input_uncached: 1, cache_read: 0.10, output_text: 5}
)",
                          "bench")
      .value();
}

Contract contract() {
  return parse_contract(
             "kind: contract\nid: c\nversion: 1\nprovider: p\ncurrency: USD\nbegins: 2027-01-01\n"
             "ends: 2028-01-01\nregimes: [{from: 2027-01-01, tokens: {price_book: list}}]\n",
             "bench")
      .value();
}

// Rows in the order in which a ledger keeps them: by period.
const UsageTable& usage() {
  static const auto table = [] {
    UsageTable made;
    made.context_boundaries = {200'000};
    made.strings = {"", "p", "frontier", "standard", "small"};
    for (int team = 0; team < teams; ++team) {
      made.strings.push_back("team-" + std::to_string(team));
      for (uint32_t model = 2; model < 5; ++model) {
        UsageKey key;
        key.team = {static_cast<uint32_t>(made.strings.size() - 1)};
        key.provider = {1};
        key.model = {model};
        key.context_tier = model == 2 && team % 10 == 0 ? 1 : 0;
        made.keys.push_back(key);
      }
    }
    const auto begin = parse_instant("2027-01-01").value();
    uint64_t random = 1;
    for (int i = 0; i < rows; ++i) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      UsageRow row;
      row.period = begin + std::chrono::minutes{30} * (int64_t{i} * 31 * 48 / rows);
      row.key = static_cast<uint32_t>((random >> 33) % made.keys.size());
      row.requests = 1;
      row.counts[static_cast<size_t>(Meter::input_uncached)] = (random >> 20) & 0xffff;
      row.counts[static_cast<size_t>(Meter::cache_read)] = (random >> 25) & 0xffff;
      row.counts[static_cast<size_t>(Meter::output_text)] = (random >> 15) & 0xfff;
      made.rows.push_back(row);
    }
    return made;
  }();
  return table;
}

void rate_and_allocate(benchmark::State& state) {
  const auto terms = contract();
  PriceBooks books;
  books.emplace("list", book());
  const auto month = parse_month("2027-01").value();
  const auto& table = usage();
  for (auto unused : state) {
    static_cast<void>(unused);
    const auto rated = rate_contract(table, {.contract = terms, .books = books}, month).value();
    const auto allocation = allocate_month(rated, terms.zone);
    VERIFY(allocation.teams.size() == teams, "every team has its share");
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(rate_and_allocate)->Unit(benchmark::kMillisecond);

void rate_by_day(benchmark::State& state) {
  const auto prices = book();
  const auto& table = usage();
  for (auto unused : state) {
    static_cast<void>(unused);
    benchmark::DoNotOptimize(
        rate(table, prices, {.grouping = Grouping::day}).value().charges.size());
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(rate_by_day)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gauger::billing

BENCHMARK_MAIN();
