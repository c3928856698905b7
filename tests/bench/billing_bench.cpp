// A month of a company: 1,000,000 rollup rows of 10,000 teams, rated, rounded once and handed down
// to teams and lines. One thread. The bound is two seconds for all of it.
#include <benchmark/benchmark.h>

#include "billing/contracts/allocation_document.h"
#include "billing/rate.h"
#include "billing/savings/statement.h"

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

// --- savings: a month of ten million substituted requests -----------------------------------
constexpr int substituted = 10'000'000;

UsageTable substituted_usage() {
  UsageTable made;
  made.context_boundaries = {200'000};
  made.strings = {"", "p", "frontier", "cluster", "student", "search", "h100"};
  for (int team = 0; team < 20; ++team) {
    made.strings.push_back("team-" + std::to_string(team));
    for (const auto outcome : {Outcome::accepted, Outcome::escalated, Outcome::absent}) {
      UsageKey key;
      key.team = {static_cast<uint32_t>(made.strings.size() - 1)};
      key.program = {5};
      key.outcome = outcome;
      const bool fallback = outcome == Outcome::absent;
      key.role = fallback ? Role::fallback : Role::root;
      key.provider = {fallback ? 1U : 3U};
      key.model = {fallback ? 2U : 4U};
      key.accelerator = {fallback ? 0U : 6U};
      made.keys.push_back(key);
    }
  }
  const auto begin = parse_instant("2027-01-01").value();
  constexpr int periods = 31 * 48;
  const auto per_row = substituted / (periods * static_cast<int>(made.keys.size()) * 2 / 3);
  for (int period = 0; period < periods; ++period)
    for (uint32_t key = 0; key < made.keys.size(); ++key) {
      UsageRow row;
      row.period = begin + std::chrono::minutes{30} * period;
      row.key = key;
      row.requests = per_row;
      row.counts[static_cast<size_t>(Meter::input_uncached)] = 1013 * per_row;
      row.counts[static_cast<size_t>(Meter::output_text)] = 211 * per_row;
      row.counts[static_cast<size_t>(Meter::compute_us)] = 250'000 * per_row;
      made.rows.push_back(row);
    }
  return made;
}

SavingsTerms savings_terms() {
  SavingsTerms terms;
  terms.company.books.emplace("list", book());
  const auto contract_with = [](const std::string& provider, const std::string& regimes) {
    return parse_contract("kind: contract\nid: " + provider +
                              "\nversion: 1\nprovider: " + provider +
                              "\ncurrency: USD\nbegins: 2026-01-01\nends: 2028-01-01\nregimes: [" +
                              regimes + "]\n",
                          "bench")
        .value();
  };
  // Reserved hours and a switch: the way with the most ratings.
  terms.company.contracts = {
      contract_with("p",
                    "{from: 2026-01-01, compute_hours: {basis: metered, prices: [{model: "
                    "frontier, per: hour, compute_us: 36}]}}, {from: 2027-01-16, tokens: "
                    "{price_book: list, commitment: {amount: 100000, from: 2027-02-01, until: "
                    "2028-01-01}}}"),
      contract_with("cluster", "{from: 2026-01-01, compute_hours: {basis: capacity}}")};
  terms.company.capacity.push_back(
      parse_capacity_records(
          "kind: capacity\nid: c\nversion: 1\ncontract: cluster\nrecords:\n"
          "  - {from: 2027-01-01, until: 2027-02-01, accelerator: h100, units: 2, "
          "per_hour: 2.40}\n",
          "bench")
          .value());
  terms.programs.push_back(
      parse_program("kind: program\nid: search\nversion: 1\ncurrency: USD\n"
                    "teacher: {provider: p, model: frontier}\n"
                    "student: {provider: cluster, model: student}\n"
                    "ratios: [{input: {ratio: 1.1, low: 1, high: 1.2}, output: 0.95}]\n"
                    "compute_profiles: [{input: 50, output: 1000}]\ngo_live: 2027-01\n"
                    "one_offs: [{month: 2026-12, amount: 36000, months: 12}]\n",
                    "bench")
          .value());
  return terms;
}

void savings_statement(benchmark::State& state) {
  const auto terms = savings_terms();
  const auto usage_of_month = substituted_usage();
  SavingsRequest request;
  request.first_month = request.last_month = parse_month("2027-01").value();
  for (auto unused : state) {
    static_cast<void>(unused);
    const auto statement = make_statement(usage_of_month, nullptr, terms, request).value();
    benchmark::DoNotOptimize(statement.cells.size());
  }
  state.counters["requests"] = substituted;
  state.counters["rows"] = static_cast<double>(usage_of_month.rows.size());
}
BENCHMARK(savings_statement)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gauger::billing

BENCHMARK_MAIN();
