// Why: what teams pay may differ from what they cost, but never silently.
#include "billing/chargeback/chargeback.h"

#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

ChargebackPolicy policy(const std::string& rest) {
  return parse_chargeback_policy("kind: chargeback_policy\nid: p\nversion: 1\n" + rest, "p.yaml")
      .value();
}

UsageTable usage(std::string_view nobody) {
  UsageBuilder builder;
  const auto add = [&](std::string_view team, UsageBuilder::Quantities quantities) {
    builder.add({.at = "2027-01-02T00:00:00Z", .team = team}, quantities);
  };
  add("a", {{Meter::input_uncached, 100}, {Meter::cache_read, 900}});
  add("b", {{Meter::input_uncached, 300}});
  add(nobody, {{Meter::input_uncached, 100}});
  return builder.table();
}

ChargeView charged(const ChargebackPolicy& rules, std::string_view nobody = "") {
  const auto contract =
      parse_contract(
          "kind: contract\nid: c\nversion: 1\nprovider: anthropic\ncurrency: USD\nbegins: "
          "2027-01-01\n"
          "ends: 2028-01-01\nregimes: [{from: 2027-01-01, tokens: {price_book: list}}]\n",
          "c.yaml")
          .value();
  const auto book = [](const std::string& id, const std::string& prices) {
    return parse_price_book("kind: price_book\nid: " + id +
                                "\nversion: 1\ncurrency: USD\nprices:\n"
                                "  - {provider: anthropic, model: claude-opus-4-6, per: unit, " +
                                prices + "}\n",
                            "b.yaml")
        .value();
  };
  PriceBooks books;
  books.emplace("list", book("list", "input_uncached: 0.10, cache_read: 0.01"));
  books.emplace("card", book("card", "input_uncached: 0.20, cache_read: 0.02"));
  return charge_month(usage(nobody), {.contract = contract, .books = books},
                      parse_month("2027-01").value(), rules)
      .value();
}

}  // namespace

TEST_CASE("passed through, teams pay their cost and the platform what has no team", "[billing]") {
  const auto view = charged(policy("basis: pass_through\n"));
  REQUIRE(view.teams.size() == 2);
  CHECK(view.teams[0].cost_minor == 1'900);
  CHECK(view.teams[0].charge_minor == 1'900);
  CHECK(view.teams[1].charge_minor == 3'000);
  CHECK(view.cost_minor == 5'900);
  CHECK(view.margin_minor == -1'000);
  CHECK(view.invoices.size() == 2);
}

TEST_CASE("what has no team can be spread over the teams", "[billing]") {
  const auto view = charged(policy("basis: pass_through\nunattributed: teams\n"));
  CHECK(view.margin_minor == 0);
  CHECK(view.teams[0].charge_minor == 2'288);
  CHECK(view.teams[1].charge_minor == 3'612);
}

TEST_CASE("the team unattributed costs and nobody is charged in its name", "[billing]") {
  const auto passed = charged(policy("basis: pass_through\n"), "unattributed");
  REQUIRE(passed.teams.size() == 3);
  CHECK(passed.teams[2].team == "unattributed");
  CHECK(passed.teams[2].cost_minor == 1'000);
  CHECK(passed.teams[2].charge_minor == 0);
  CHECK(passed.margin_minor == -1'000);
  CHECK(passed.invoices.size() == 2);
  const auto spread = charged(policy("basis: pass_through\nunattributed: teams\n"), "unattributed");
  CHECK(spread.margin_minor == 0);
  CHECK(spread.teams[0].charge_minor == 2'288);
}

TEST_CASE("a mark-up and a rate card make a margin", "[billing]") {
  const auto marked = charged(policy("basis: mark_up\nmark_up_percent: 8\n"));
  CHECK(marked.teams[1].charge_minor == 3'240);
  CHECK(marked.margin_minor == 2'052 + 3'240 - 5'900);
  const auto card = charged(policy("basis: rate_card\nrate_card: card\n"));
  CHECK(card.teams[0].charge_minor == 3'800);
  CHECK(card.teams[0].cost_minor == 1'900);
  CHECK(card.margin_minor == 3'800 + 6'000 - 5'900);
}

TEST_CASE("the platform may keep what cache hits save", "[billing]") {
  const auto view = charged(policy("basis: pass_through\ncache_benefit: platform\n"));
  CHECK(view.teams[0].charge_minor == 10'000);
  CHECK(view.teams[0].cost_minor == 1'900);
}

TEST_CASE("policies that cannot be meant are refused", "[billing]") {
  const auto refused = [](const std::string& rest) {
    return parse_chargeback_policy("kind: chargeback_policy\nid: p\nversion: 1\n" + rest, "p.yaml")
        .error()
        .sentence;
  };
  CHECK(refused("basis: free\n") ==
        "p.yaml:1: 'basis: free' is none of pass_through, mark_up, rate_card");
  CHECK(refused("basis: mark_up\n").find("'mark_up_percent' stands") != std::string::npos);
  CHECK(refused("basis: rate_card\n").find("'rate_card' names") != std::string::npos);
  CHECK(refused("basis: pass_through\nmark_up_percent: 3\n").find("and only then") !=
        std::string::npos);
  CHECK(refused("basis: mark_up\nmark_up_percent: -3\n").find("above 0") != std::string::npos);
}
