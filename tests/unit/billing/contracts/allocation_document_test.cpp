// Why: team costs and `unallocated` are the provider's bill, to the cent, also after late events.
#include "billing/contracts/allocation_document.h"

#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

const auto january = parse_month("2027-01").value();

Contract terms() {
  return parse_contract(
             "kind: contract\nid: c\nversion: 1\nprovider: anthropic\ncurrency: USD\n"
             "begins: 2027-01-01\nends: 2028-01-01\n"
             "regimes: [{from: 2027-01-01, tokens: {price_book: list, discounts: "
             "[{percent: 10}]}}]\n",
             "c.yaml")
      .value();
}

ContractMonth rated(const UsageTable& usage) {
  static const auto contract = terms();
  PriceBooks books;
  books.emplace("list", parse_price_book(R"(kind: price_book
id: list
version: v1
currency: USD
prices:
  - {provider: anthropic, model: claude-opus-4-6, per: unit, input_uncached: {graduated: [{up_to: 10, price: 0.01}, {price: 0.005}]}, output_text: 0.01}
)",
                                         "b.yaml")
                            .value());
  return rate_contract(usage, {.contract = contract, .books = books}, january).value();
}

Request of(std::string_view team) { return {.at = "2027-01-02T00:00:00Z", .team = team}; }

Int128 sum(std::span<const LateCharge> charges) {
  Int128 total = 0;
  for (const auto& charge : charges) total += charge.amount_minor;
  return total;
}

}  // namespace

TEST_CASE("teams and the unallocated add up to the provider's bill", "[billing]") {
  UsageBuilder usage;
  for (const auto* team : {"a", "b", "c", ""}) usage.add(of(team), {{Meter::input_uncached, 5}});
  const auto month = rated(usage.table());
  CHECK(format_amount(month.total) == "0.135");
  const auto allocation = allocate_month(month, TimeZone::utc());
  CHECK(allocation.total_minor == 14);
  REQUIRE(allocation.teams.size() == 4);
  Int128 total = 0;
  for (const auto& team : allocation.teams) {
    total += team.total_minor;
    Int128 lines = 0;
    for (const auto& line : team.lines) lines += line.amount_minor;
    CHECK(lines == team.total_minor);
  }
  CHECK(total == 14);
  CHECK(allocation.teams[0].total_minor == 4);
  CHECK(allocation_table(allocation).find("unallocated") != std::string::npos);
  REQUIRE(allocation.rates.size() == 1);
  CHECK(allocation.rates[0].quantity == 20);
}

TEST_CASE("late usage pays the closing rate and the residue is nobody's", "[billing]") {
  UsageBuilder usage;
  usage.add(of("a"), {{Meter::input_uncached, 1'000}});
  usage.add(of("b"), {{Meter::input_uncached, 1'000}});
  const auto closed = allocate_month(rated(usage.table()), TimeZone::utc());
  CHECK(closed.total_minor == 904);  // 10 at 0.009 and 1,990 at 0.0045: $9.045, half to even
  usage.add(of("b"), {{Meter::input_uncached, 1'000}, {Meter::output_text, 100}});
  const auto now = rated(usage.table());
  const auto late = late_charges(closed, {}, now);
  REQUIRE(late.size() == 3);
  CHECK(late[0].team == "b");
  CHECK(late[0].usage_class.item == "input_uncached");
  CHECK(late[0].quantity == 1'000);
  CHECK(late[0].amount_minor == 452);
  CHECK(late[1].usage_class.item == "output_text");
  CHECK(late[1].amount_minor == 90);
  CHECK(late[2].team.empty());
  CHECK(closed.total_minor + sum(late) == now.total_minor);
  CHECK(late_charges(closed, late, now).empty());
}

TEST_CASE("usage that was taken back after the close is returned at the closing rate",
          "[billing]") {
  UsageBuilder usage;
  usage.add(of("a"), {{Meter::input_uncached, 1'000}});
  usage.add(of("b"), {{Meter::output_text, 1'000}});
  const auto closed = allocate_month(rated(usage.table()), TimeZone::utc());
  UsageBuilder without;
  without.add(of("a"), {{Meter::input_uncached, 1'000}});
  const auto now = rated(without.table());
  const auto late = late_charges(closed, {}, now);
  REQUIRE(!late.empty());
  CHECK(late[0].team == "b");
  CHECK(late[0].amount_minor == -900);
  CHECK(closed.total_minor + sum(late) == now.total_minor);
}
