// Properties of savings statements, bridges and vintages that hold for any usage.
#include <rapidcheck.h>

#include "billing/savings/amortization.h"
#include "billing/savings/bridge.h"
#include "billing/savings/statement_text.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

const int32_t january = parse_month("2027-01").value();

PriceBook book(std::string_view input_price) {
  return parse_price_book(
             "kind: price_book\nid: list\nversion: v1\ncurrency: USD\nprices:\n"
             "  - {provider: p, model: t, per: million, input_uncached: " +
                 std::string(input_price) +
                 ", output_text: 25}\n"
                 "  - {provider: q, model: s, per: million, input_uncached: 0.3, "
                 "output_text: 1.7}\n",
             "b.yaml")
      .value();
}

Contract contract(const std::string& provider, const std::string& regimes) {
  return parse_contract("kind: contract\nid: " + provider + "\nversion: 1\nprovider: " + provider +
                            "\ncurrency: USD\nbegins: 2026-01-01\nends: 2028-01-01\nregimes: [" +
                            regimes + "]\n",
                        "c.yaml")
      .value();
}

Program program(const std::string& id, const std::string& student, const std::string& rest) {
  return parse_program("kind: program\nid: " + id +
                           "\nversion: 1\ncurrency: USD\nteacher: {provider: p, model: t}\n"
                           "student: " +
                           student +
                           "\ngo_live: 2026-12\ncompute_profiles: [{input: 50, output: 1000}]\n" +
                           rest,
                       "p.yaml")
      .value();
}

// Every part of two programmes, of three teams and two workloads, and other usage.
UsageTable empty_table() {
  UsageTable usage;
  usage.grain = std::chrono::minutes{30};
  usage.strings = {"", "p", "q", "t", "s", "a", "b", "t0", "t1", "t2", "w0", "w1"};
  const auto add = [&](uint32_t provider, uint32_t model, Role role, Outcome outcome,
                       Purpose purpose, uint32_t name) {
    for (uint32_t team = 7; team < 10; ++team)
      for (uint32_t workload = 10; workload < 12; ++workload) {
        UsageKey key;
        key.team = {team};
        key.workload = {workload};
        key.provider = {provider};
        key.model = {model};
        key.program = {name};
        key.role = role;
        key.outcome = outcome;
        key.purpose = purpose;
        usage.keys.push_back(key);
      }
  };
  for (uint32_t name = 5; name < 7; ++name) {
    for (const auto outcome : {Outcome::accepted, Outcome::escalated, Outcome::failed})
      add(2, 4, Role::root, outcome, Purpose::production, name);
    add(2, 4, Role::retry, Outcome::absent, Purpose::production, name);
    add(1, 3, Role::fallback, Outcome::absent, Purpose::production, name);
    add(1, 3, Role::root, Outcome::absent, Purpose::shadow, name);
    add(1, 3, Role::root, Outcome::absent, Purpose::distillation, name);
  }
  add(1, 3, Role::root, Outcome::absent, Purpose::production, 0);
  return usage;
}

std::vector<UsageRow> rows(const UsageTable& usage, Instant begin, int days) {
  const auto count = *rc::gen::inRange(1, 60);
  std::vector<UsageRow> all;
  for (int i = 0; i < count; ++i) {
    UsageRow row;
    row.period = begin + std::chrono::minutes{30} * *rc::gen::inRange(0, days * 48);
    row.key = *rc::gen::inRange<uint32_t>(0, static_cast<uint32_t>(usage.keys.size()));
    row.requests = *rc::gen::inRange(1, 50);
    for (const auto meter : {Meter::input_uncached, Meter::output_text, Meter::compute_us})
      row.counts[static_cast<size_t>(meter)] = *rc::gen::inRange<int64_t>(1, 3'000'000);
    all.push_back(row);
  }
  return all;
}

// Of the teacher's contract: prices by unit, by volume, a minimum, a switch.
std::string any_regimes() {
  return *rc::gen::element<std::string>(
      "{from: 2026-01-01, tokens: {price_book: list}}",
      "{from: 2026-01-01, tokens: {price_book: list, discounts: [{percent: 9, above: 40}, "
      "{percent: "
      "2}]}}",
      "{from: 2026-01-01, tokens: {price_book: list, commitment: {amount: 3000, from: 2026-01-01, "
      "until: 2028-01-01}}}",
      "{from: 2026-01-01, compute_hours: {basis: metered, prices: [{model: t, per: hour, "
      "compute_us: 36}]}}, {from: 2027-01-01, tokens: {price_book: list}}");
}

std::string any_price() {
  return *rc::gen::element<std::string>("5",
                                        "{graduated: [{up_to: 1000000, price: 7}, {price: 3}]}",
                                        "{volume: [{up_to: 1000000, price: 7}, {price: 3}]}");
}

std::vector<Rational> amounts_of(const SavingsFigures& figures) {
  return {figures.counterfactual_accepted,
          figures.counterfactual_low,
          figures.counterfactual_high,
          figures.counterfactual_escalated,
          figures.student,
          figures.escalations,
          figures.amortization,
          figures.shadow,
          figures.realized_accepted,
          figures.net(),
          figures.realized_net(),
          Rational(Int128{figures.accepted + 1'000 * figures.escalated})};
}

}  // namespace

TEST_CASE("the parts of a statement add up to the whole over any grouping", "[billing]") {
  CHECK(rc::check([&] {
    SavingsTerms terms;
    terms.company.books.emplace("list", book(any_price()));
    terms.company.contracts = {contract("p", any_regimes()),
                               contract("q", "{from: 2026-01-01, tokens: {price_book: list}}")};
    terms.programs = {
        program("a", "{provider: q, model: s}",
                "ratios: [{input: {ratio: 1.1, low: 1, high: 4/3}, output: 19/20}]\n"
                "distillation_months: 7\none_offs: [{month: 2026-12, amount: 100, months: 3}]\n"),
        program("b", "{provider: q, model: s}",
                "ratios: [{input: 3/7, output: 1}]\n"
                "distillation_months: 2\n")};
    auto usage = empty_table();
    usage.rows = rows(usage, TimeZone::utc().month_begin(january - 1), 62);
    SavingsRequest request;
    request.first_month = january - 1;
    request.last_month = january;
    const auto statement = make_statement(usage, nullptr, terms, request).value();
    const auto whole = amounts_of(savings_total(statement));
    for (const auto* by : {"", "team", "workload", "program,team", "month,workload", "student",
                           "project,team,month,program,workload"}) {
      std::vector<Rational> sums(whole.size());
      for (const auto& line : savings_lines(statement, parse_savings_dimensions(by).value())) {
        const auto parts = amounts_of(line.figures);
        for (size_t i = 0; i < sums.size(); ++i) sums[i] += parts[i];
      }
      RC_ASSERT(sums == whole);
    }
  }));
}

TEST_CASE("a student that is its teacher saves exactly nothing under any terms", "[billing]") {
  CHECK(rc::check([&] {
    SavingsTerms terms;
    terms.company.books.emplace("list", book(any_price()));
    terms.company.contracts = {contract("p", any_regimes())};
    terms.programs = {program("a", "{provider: p, model: t}", "ratios: [{input: 1, output: 1}]\n")};
    auto usage = empty_table();
    usage.rows = rows(usage, TimeZone::utc().month_begin(january - 1), 62);
    std::erase_if(usage.rows, [&](const UsageRow& row) {
      const auto& key = usage.key(row);
      return key.program.value == 6 || (key.program.value == 5 && key.outcome != Outcome::accepted);
    });
    for (auto& key : usage.keys) {
      key.provider = {1};
      key.model = {3};
    }
    // Compute time as the profile has it.
    for (auto& row : usage.rows)
      row.counts[static_cast<size_t>(Meter::compute_us)] =
          row.counts[static_cast<size_t>(Meter::input_uncached)] * 50 +
          row.counts[static_cast<size_t>(Meter::output_text)] * 1000;
    SavingsRequest request;
    request.first_month = january - 1;
    request.last_month = january;
    const auto statement = make_statement(usage, nullptr, terms, request).value();
    RC_ASSERT(!is_blocked(statement));
    for (const auto& cell : statement.cells) {
      RC_ASSERT(cell.figures.gross().is_zero());
      RC_ASSERT(cell.figures.realized_gross().is_zero());
    }
  }));
}

TEST_CASE("the steps of a bridge add up to the difference", "[billing]") {
  CHECK(rc::check([&] {
    CompanyTerms company;
    company.books.emplace("list", book(any_price()));
    company.contracts = {contract("p", any_regimes()),
                         contract("q", "{from: 2026-01-01, tokens: {price_book: list}}")};
    const std::vector<Program> programs = {
        program("a", "{provider: q, model: s}", "ratios: [{input: 1, output: 1}]\n"),
        program("b", "{provider: q, model: s}", "ratios: [{input: 1, output: 1}]\n")};
    auto usage = empty_table();
    usage.rows = rows(usage, TimeZone::utc().month_begin(january - 1), 62);
    const MonthRange base{january - 1, january - 1};
    const MonthRange later{january, january};
    const auto bridge = bridge_between(usage, company, programs, base, later).value();
    RC_ASSERT(bridge.base == company_cost(usage, company, base).value().total());
    RC_ASSERT(bridge.later == company_cost(usage, company, later).value().total());
    RC_ASSERT(bridge.base + bridge.volume + bridge.intensity + bridge.mix + bridge.substitution +
                  bridge.price + bridge.regime + bridge.idle_and_minimums ==
              bridge.later);
  }));
}

TEST_CASE("a vintage is written off to the last part whatever is re-estimated", "[billing]") {
  CHECK(rc::check([&] {
    auto with = program("a", "{provider: q, model: s}", "ratios: [{input: 1}]\n");
    with.go_live = *rc::gen::inRange(january - 6, january + 6);
    if (*rc::gen::arbitrary<bool>()) with.retired = with.go_live + *rc::gen::inRange(0, 30);
    OneOff one_off;
    one_off.month = *rc::gen::inRange(january - 12, january + 12);
    one_off.months = *rc::gen::inRange(1, 40);
    one_off.amount = Rational(Int128{*rc::gen::inRange<int64_t>(0, 1'000'000'000'000)});
    for (auto month = january - 6; month < january + 30; month += *rc::gen::inRange(1, 12))
      one_off.reestimates.push_back({month, *rc::gen::inRange(1, 40)});
    Rational sum;
    for (auto month = january - 24; month < january + 120; ++month) {
      const auto part = amortization_of(one_off, with, month);
      RC_ASSERT(!part.is_negative());
      sum += part;
    }
    RC_ASSERT(sum == one_off.amount);
  }));
}
