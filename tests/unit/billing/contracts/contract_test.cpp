// Why: a contract that can be read in two ways, or with a gap, bills somebody twice or never.
#include "billing/contracts/contract.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

const std::string head =
    "kind: contract\nid: c\nversion: 1\nprovider: anthropic\naccounts: [acct-1]\ncurrency: USD\n"
    "begins: 2026-01-01\nends: 2028-01-01\n";

std::string refusal(const std::string& rest) {
  const auto contract = parse_contract(head + rest, "c.yaml");
  return contract.has_value() ? "" : contract.error().sentence;
}

}  // namespace

TEST_CASE("a contract has consecutive regimes up to its end", "[billing]") {
  const auto contract = parse_contract(head + R"(time_zone: Europe/Berlin
idle_owner: platform
regimes:
  - from: 2026-01-01
    compute_hours: {basis: capacity}
  - from: 2026-06-01
    compute_hours:
      basis: metered
      prices: [{model: "*", per: hour, compute_us: 36}]
  - from: 2027-01-16
    tokens:
      price_book: list
      discounts: [{percent: 12.5, model: "claude-*", items: [output_text], above: 1000}]
      commitment: {amount: 120000, from: 2027-01-16, until: 2028-01-01}
      prepaid:
        - {id: b, amount: 10, from: 2027-01-16, until: 2027-12-01}
        - {id: a, amount: 20, from: 2027-01-16, until: 2027-06-01}
)",
                                       "c.yaml");
  // The commitment ends with the regime, at midnight UTC: no month of Berlin.
  REQUIRE(contract.has_value());
  const auto& regimes = contract.value().regimes;
  REQUIRE(regimes.size() == 3);
  CHECK(regimes[0].interval.until == regimes[1].interval.from);
  CHECK(regimes[2].interval.until == parse_instant("2028-01-01").value());
  CHECK(std::get<ComputeHours>(regimes[1].terms).prices[0].provider == "anthropic");
  const auto& tokens = std::get<TokenTerms>(regimes[2].terms);
  CHECK(tokens.discounts[0].share == Rational::ratio(1, 8));
  CHECK(tokens.prepaid[0].id == "a");
  CHECK(contract.value().covers("anthropic", "acct-1"));
  CHECK_FALSE(contract.value().covers("anthropic", "acct-2"));
  CHECK_FALSE(contract.value().covers("openai", "acct-1"));
}

TEST_CASE("contracts that cannot be meant are refused with file, line and sentence", "[billing]") {
  const std::string tokens = ", tokens: {price_book: list}}";
  CHECK(refusal("regimes: []\n").find("1 to 10000 'regimes'") != std::string::npos);
  CHECK(refusal("regimes: [{from: 2026-02-01" + tokens + "]\n") ==
        "c.yaml:9: the first regime begins with the contract");
  CHECK(refusal("regimes:\n  - {from: 2026-01-01" + tokens + "\n  - {from: 2026-01-01" + tokens +
                "\n") == "c.yaml:10: a regime begins before the next one and inside the contract");
  CHECK(refusal("regimes: [{from: 2026-01-01}]\n") ==
        "c.yaml:9: a regime is either 'compute_hours' or 'tokens'");
  CHECK(refusal("regimes: [{from: 2026-01-01, tokens: {price_book: l, discounts: [{percent: "
                "101}]}}]\n") == "c.yaml:9: a discount is above 0 and at most 100 percent");
  CHECK(refusal("regimes: [{from: 2026-01-01, tokens: {price_book: l, rebate: 3}}]\n")
            .find("unknown key 'rebate'") != std::string::npos);
  CHECK(refusal("regimes: [{from: 2026-01-01, compute_hours: {basis: metered}}]\n") ==
        "c.yaml:9: metered compute hours have 'prices', capacity has its records instead");
  CHECK(refusal("regimes: [{from: 2026-01-01, tokens: {price_book: l, commitment: {amount: 5, "
                "from: 2026-01-01, until: 2026-02-15}}}]\n") ==
        "c.yaml:9: a commitment begins and ends with a month of UTC, or with its regime");
  CHECK(refusal("regimes: [{from: 2026-01-01, tokens: {price_book: l, commitment: {amount: -5, "
                "from: 2026-01-01, until: 2026-02-01}}}]\n") ==
        "c.yaml:9: an amount is not negative");
  CHECK(refusal("time_zone: Mars/Olympus\nregimes: [{from: 2026-01-01" + tokens + "]\n")
            .find("Mars") != std::string::npos);
}

TEST_CASE("two contracts do not cover one account at one time", "[billing]") {
  const std::string regimes = "regimes: [{from: 2026-01-01, tokens: {price_book: l}}]\n";
  auto first = parse_contract(head + regimes, "a.yaml").value();
  auto second = first;
  second.id = "d";
  CHECK(check_contracts({first, second}).error().sentence ==
        "a.yaml:4: the contracts c and d both cover the account acct-1");
  second.accounts = {};
  CHECK(check_contracts({first, second}).error().code == ErrorCode::conflict);
  second.accounts = {"acct-2"};
  CHECK(check_contracts({first, second}).has_value());
  second.accounts = first.accounts;
  second.term = {first.term.until, end_of_time};
  CHECK(check_contracts({first, second}).has_value());
}

TEST_CASE("capacity records are read with unit, price and hours", "[billing]") {
  const std::string records = "kind: capacity\nid: k\nversion: 1\ncontract: c\nrecords:\n";
  const auto capacity = parse_capacity_records(records +
                                                   "  - {from: 2027-01-01, until: 2027-01-02, "
                                                   "accelerator: h100, units: 4, per_hour: 2.40}\n",
                                               "k.yaml")
                            .value();
  CHECK(capacity.records[0].units == 4);
  CHECK(capacity.records[0].price_per_hour.pico == 2'400'000'000'000);
  for (const auto* bad :
       {"{from: 2027-01-02, until: 2027-01-01, accelerator: a, per_hour: 1}",
        "{from: 2027-01-01, until: 2027-01-02, accelerator: a, units: 0, per_hour: 1}",
        "{until: 2027-01-02, accelerator: a, per_hour: 1}",
        "{from: 2027-01-01, until: 2027-01-02, accelerator: a, per_hour: 2000000}"})
    CHECK_FALSE(parse_capacity_records(records + "  - " + bad + "\n", "k.yaml").has_value());
}
