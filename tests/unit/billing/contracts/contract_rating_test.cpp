// Why: the bill of a provider is made of more than prices. Each part must be somebody's charge.
#include "billing/contracts/contract_rating.h"

#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

Contract contract(const std::string& regimes, const std::string& more = "") {
  return parse_contract(
             "kind: contract\nid: c\nversion: 1\nprovider: anthropic\naccounts: [acct]\n"
             "currency: USD\nbegins: 2027-01-01\nends: 2028-01-01\n" +
                 more + "regimes:\n" + regimes,
             "c.yaml")
      .value();
}

PriceBooks books() {
  PriceBooks all;
  all.emplace("list", parse_price_book(R"(kind: price_book
id: list
version: v1
currency: USD
prices:
  - {provider: anthropic, model: claude-opus-4-6, per: million, input_uncached: 5, output_text: 25}
)",
                                       "b.yaml")
                          .value());
  return all;
}

const std::string tokens = "  - {from: 2027-01-01, tokens: {price_book: list}}\n";

std::vector<CapacityRecords> capacity(const std::string& records) {
  return {parse_capacity_records(
              "kind: capacity\nid: k\nversion: 1\ncontract: c\nrecords:\n" + records, "k.yaml")
              .value()};
}

Request at(std::string_view time, std::string_view team, std::string_view accelerator = "") {
  return {.at = time, .team = team, .account = "acct", .accelerator = accelerator};
}

ContractMonth january(const UsageTable& usage, const Contract& terms,
                      const std::vector<CapacityRecords>& records = {},
                      const ContractHistory& history = {}) {
  const auto all = books();
  return rate_contract(usage,
                       {.contract = terms, .books = all, .capacity = records, .history = history},
                       parse_month("2027-01").value())
      .value();
}

Rational dollars(Int128 numerator, Int128 denominator = 1) {
  return Rational::ratio(numerator * pico_per_unit, denominator);
}

Rational sum_of(const ContractMonth& month, ChargeKind kind, std::string_view team) {
  Rational sum;
  for (const auto& charge : month.rated.charges)
    if (charge.kind == kind && month.rated.text(month.rated.key(charge).team) == team)
      sum += charge.amount;
  return sum;
}

constexpr int64_t second = 1'000'000;
constexpr int64_t hour = 3'600 * second;

}  // namespace

TEST_CASE("provisioned hours are shared by use, and idle ones are a charge of their own",
          "[billing]") {
  UsageBuilder usage;
  usage.add(at("2027-01-10T00:00:00Z", "search", "h100"),
            {{Meter::compute_us, 250'000 * second}, {Meter::input_uncached, 7}});
  const auto month =
      january(usage.table(), contract("  - {from: 2027-01-01, compute_hours: {basis: capacity}}\n"),
              capacity("  - {from: 2027-01-01, until: 2027-01-05T04:00:00Z, accelerator: h100, "
                       "per_hour: 2.40}\n"));
  CHECK(sum_of(month, ChargeKind::usage, "search") == dollars(500, 3));
  CHECK(sum_of(month, ChargeKind::idle, "search") == dollars(220, 3));
  CHECK(month.total == dollars(240));
  CHECK(month.total_minor == 24'000);
  CHECK(month.rated.unpriced.empty());
}

TEST_CASE("hours that nobody used go to their owner", "[billing]") {
  UsageBuilder usage;
  const auto records = capacity(
      "  - {from: 2027-01-31, until: 2027-02-02, accelerator: h100, units: 2, per_hour: 1}\n");
  const auto regime = "  - {from: 2027-01-01, compute_hours: {basis: capacity}}\n";
  const auto owned = january(usage.table(), contract(regime, "idle_owner: platform\n"), records);
  CHECK(sum_of(owned, ChargeKind::idle, "platform") == dollars(48));
  const auto orphan = january(usage.table(), contract(regime), records);
  CHECK(sum_of(orphan, ChargeKind::idle, "") == dollars(48));
}

TEST_CASE("more compute than was provisioned costs no more, and is shared", "[billing]") {
  UsageBuilder usage;
  usage.add(at("2027-01-10T00:00:00Z", "a", "h100"), {{Meter::compute_us, 2 * hour}});
  usage.add(at("2027-01-10T00:00:00Z", "b", "h100"), {{Meter::compute_us, 1 * hour}});
  usage.add(at("2027-01-10T00:00:00Z", "b", "a100"), {{Meter::compute_us, 1 * hour}});
  const auto month = january(
      usage.table(), contract("  - {from: 2027-01-01, compute_hours: {basis: capacity}}\n"),
      capacity(
          "  - {from: 2027-01-01, until: 2027-01-01T02:00:00Z, accelerator: h100, per_hour: 3}\n"));
  CHECK(sum_of(month, ChargeKind::usage, "a") == dollars(4));
  CHECK(sum_of(month, ChargeKind::usage, "b") == dollars(2));
  CHECK(sum_of(month, ChargeKind::idle, "a").is_zero());
  REQUIRE(month.rated.unpriced.size() == 1);
  CHECK(month.rated.unpriced[0].reason == UnpricedReason::no_capacity);
}

TEST_CASE("a month with a switch from hours to tokens is rated by both", "[billing]") {
  const auto terms = contract(R"(  - from: 2027-01-01
    compute_hours: {basis: metered, prices: [{model: "*", per: hour, compute_us: 36}]}
  - from: 2027-01-16
    tokens: {price_book: list}
)");
  UsageBuilder usage;
  const auto request = [&](std::string_view time) {
    usage.add(
        at(time, "search"),
        {{Meter::compute_us, 245'000}, {Meter::input_uncached, 1'100}, {Meter::output_text, 190}});
  };
  request("2027-01-15T23:30:00Z");
  request("2027-01-16T00:00:00Z");
  const auto month = january(usage.table(), terms);
  CHECK(month.total == dollars(245, 100'000) + dollars(1'025, 100'000));
  CHECK(month.rated.unpriced.empty());
  UsageBuilder unmeasured;
  unmeasured.add(at("2027-01-15T23:30:00Z", "search"), {{Meter::input_uncached, 1'100}});
  const auto open = january(unmeasured.table(), terms);
  REQUIRE(open.rated.unpriced.size() == 1);
  CHECK(open.rated.unpriced[0].reason == UnpricedReason::no_compute_time);
}

TEST_CASE("a switch off the grain and a missing or foreign book are refused", "[billing]") {
  UsageBuilder usage;
  usage.add(at("2027-01-16T00:00:00Z", "search"), {{Meter::input_uncached, 1}});
  const auto off_grain = contract(R"(  - {from: 2027-01-01, tokens: {price_book: list}}
  - {from: 2027-01-16T00:15:00Z, tokens: {price_book: list}}
)");
  auto all = books();
  const auto month = parse_month("2027-01").value();
  CHECK(rate_contract(usage.table(), {.contract = off_grain, .books = all}, month).error().code ==
        ErrorCode::invalid_argument);
  const auto terms = contract(tokens);
  all.begin()->second.currency = Currency::find("EUR").value();
  CHECK(rate_contract(usage.table(), {.contract = terms, .books = all}, month).error().sentence ==
        "c.yaml: the contract is in USD, the price book list in EUR");
  all.clear();
  CHECK(rate_contract(usage.table(), {.contract = terms, .books = all}, month).error().sentence ==
        "c.yaml: the price book 'list' of the contract c is not known");
}

TEST_CASE("discounts take their share of the list amount", "[billing]") {
  const auto terms = contract(R"(  - from: 2027-01-01
    tokens:
      price_book: list
      discounts:
        - {percent: 10, items: [output_text]}
        - {percent: 50, above: 20}
)");
  UsageBuilder usage;
  usage.add(at("2027-01-01T00:00:00Z", "a"), {{Meter::input_uncached, 1'000'000}});
  usage.add(at("2027-01-01T00:00:00Z", "b"), {{Meter::output_text, 1'000'000}});
  const auto month = january(usage.table(), terms);
  CHECK(sum_of(month, ChargeKind::usage, "b") == dollars(25));
  CHECK(sum_of(month, ChargeKind::discount, "a") == -dollars(5, 6));
  CHECK(sum_of(month, ChargeKind::discount, "b") == -dollars(25, 6) - dollars(5, 2));
  CHECK(month.total == dollars(30) - dollars(5, 2) - dollars(5));
}

TEST_CASE("a commitment that is missed is trued up at the end of its term", "[billing]") {
  const auto terms = [](std::string_view until) {
    return contract(
        "  - from: 2027-01-01\n    tokens: {price_book: list, commitment: {amount: 100, "
        "from: 2027-01-01, until: " +
        std::string(until) + "}}\n");
  };
  UsageBuilder usage;
  usage.add(at("2027-01-01T00:00:00Z", "a"), {{Meter::input_uncached, 1'000'000}});
  usage.add(at("2027-01-01T00:00:00Z", "b"), {{Meter::output_text, 1'000'000}});
  const auto ends = january(usage.table(), terms("2027-02-01"));
  CHECK(sum_of(ends, ChargeKind::true_up, "a") == dollars(70, 6));
  CHECK(sum_of(ends, ChargeKind::true_up, "b") == dollars(350, 6));
  CHECK(ends.total == dollars(100));
  CHECK(ends.committed_spend.begin()->second == dollars(30));
  CHECK(january(usage.table(), terms("2027-03-01")).total == dollars(30));
  const auto met = january(
      usage.table(), terms("2027-02-01"), {},
      {.committed_spend = {{parse_instant("2027-01-01").value(), dollars(80)}}, .drawn_minor = {}});
  CHECK(met.total == dollars(30));
  UsageBuilder nothing;
  CHECK(sum_of(january(nothing.table(), terms("2027-02-01")), ChargeKind::true_up, "") ==
        dollars(100));
}

TEST_CASE("prepaid credit is drawn, kept and expires", "[billing]") {
  const auto terms = contract(R"(  - from: 2027-01-01
    tokens:
      price_book: list
      prepaid:
        - {id: old, amount: 40, from: 2027-01-01, until: 2027-02-01}
        - {id: new, amount: 100, from: 2027-01-01, until: 2028-01-01}
)");
  UsageBuilder usage;
  usage.add(at("2027-01-01T00:00:00Z", "b"), {{Meter::output_text, 1'000'000}});
  const auto month = january(usage.table(), terms);
  REQUIRE(month.prepaid.size() == 2);
  CHECK(month.prepaid[0].credit == "old");
  CHECK(month.prepaid[0].drawn_minor == 2'500);
  CHECK(month.prepaid[0].expired_minor == 1'500);
  CHECK(month.prepaid[1].drawn_minor == 0);
  CHECK(month.prepaid[1].left_minor == 10'000);
  CHECK(month.total_minor == 4'000);
  CHECK(month.payable_minor == 0);
  const auto drained =
      january(usage.table(), terms, {},
              {.committed_spend = {}, .drawn_minor = {{"old", 3'000}, {"new", 9'500}}});
  CHECK(drained.prepaid[0].drawn_minor == 1'000);
  CHECK(drained.prepaid[1].drawn_minor == 500);
  CHECK(drained.payable_minor == 1'000);
}

TEST_CASE("usage that no contract covers is named", "[billing]") {
  UsageBuilder usage;
  usage.add(at("2027-01-01T00:00:00Z", "a"), {{Meter::input_uncached, 1}});
  usage.add({.at = "2027-01-01T00:00:00Z", .account = "other"}, {{Meter::input_uncached, 2}});
  usage.add({.at = "2027-01-01T00:30:00Z", .account = "other"}, {{Meter::input_uncached, 3}});
  usage.add(at("2026-12-31T00:00:00Z", "a"), {{Meter::input_uncached, 4}});
  const std::vector<Contract> all = {contract(tokens)};
  const auto open = uncontracted(usage.table(), all, {begin_of_time, end_of_time});
  REQUIRE(open.size() == 2);
  CHECK(open[0].quantity == 4);
  CHECK(open[1].quantity == 5);
  CHECK(open[1].reason == UnpricedReason::no_contract);
  CHECK(january(usage.table(), all[0]).total == dollars(5, 1'000'000));
}
