// Why: what a team was billed for a closed month moves only by what is written down, once.
#include "billing/contracts/closed_month.h"

#include "billing/terms/terms.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book(std::string_view version, std::string_view price) {
  return parse_price_book(
             "kind: price_book\nid: list\nversion: " + std::string(version) +
                 "\ncurrency: USD\nprices:\n  - {provider: p, model: m, per: thousand, "
                 "input_uncached: " +
                 std::string(price) +
                 ", images: {graduated: [{up_to: 7, price: 3}, {price: 1}]}, "
                 "web_searches: {package: {size: 3, price: 2}}}\n",
             "b.yaml")
      .value();
}

const Contract& contract() {
  static const auto parsed =
      parse_contract(
          "kind: contract\nid: c\nversion: 1\nprovider: p\ncurrency: USD\nbegins: 2027-01-01\n"
          "ends: 2028-01-01\nregimes: [{from: 2027-01-01, tokens: {price_book: list, discounts: "
          "[{percent: 7, above: 1}], prepaid: [{id: credit, amount: 3, from: 2027-01-01, until: "
          "2027-03-01}]}}]\n",
          "c.yaml")
          .value();
  return parsed;
}

struct Month {
  ContractMonth rated;
  AllocationDocument allocation;
};

Month january(const UsageTable& usage, const PriceBook& prices) {
  PriceBooks books;
  books.emplace("list", prices);
  Month month;
  month.rated =
      rate_contract(usage, {.contract = contract(), .books = books}, parse_month("2027-01").value())
          .value();
  month.allocation = allocate_month(month.rated, contract().zone);
  month.allocation.terms = {{"price_book", "list", prices.version, "hash"}};
  return month;
}

Request request(std::string_view at, std::string_view team) {
  return {.at = at, .team = team, .provider = "p", .model = "m"};
}

UsageBuilder usage() {
  UsageBuilder builder;
  for (const auto* team : {"a", "b", "c", ""}) {
    builder.add(request("2027-01-10T00:00:00Z", team),
                {{Meter::input_uncached, 1'234}, {Meter::images, 5}, {Meter::web_searches, 1}});
  }
  return builder;
}

std::map<std::string, Int128> by_team(const std::vector<InvoiceLine>& lines) {
  std::map<std::string, Int128> sums;
  for (const auto& line : lines) sums[line.team] += line.amount_minor;
  return sums;
}

}  // namespace

TEST_CASE("an allocation document reads back whole", "[billing]") {
  const auto month = january(usage().table(), book("1", "0.777"));
  const auto text = allocation_json(month.allocation);
  const auto again = parse_allocation(text, "a.json").value();
  CHECK(allocation_json(again) == text);
  CHECK(again.teams.size() == 4);
  CHECK(again.total == month.allocation.total);
  CHECK(again.payable_minor == month.rated.payable_minor);
  CHECK(again.prepaid.front().drawn_minor == 300);
  CHECK(lines_of(again).front().rule.price == lines_of(month.allocation).front().rule.price);
  CHECK(diff_lines(lines_of(month.allocation), lines_of(again)).empty());
  CHECK(parse_allocation("{}", "a.json").error().code == ErrorCode::invalid_argument);
  CHECK_FALSE(parse_allocation(text.substr(0, text.size() / 2), "a.json").has_value());
}

TEST_CASE("late usage is corrected once and moves nobody else", "[billing]") {
  const auto prices = book("1", "0.777");
  ClosedMonth closed{january(usage().table(), prices).allocation, {}};
  const auto sealed = by_team(closed.booked());
  auto more = usage();
  more.add(request("2027-01-20T00:00:00Z", "b"), {{Meter::input_uncached, 100'000}});
  const auto now = january(more.table(), prices);
  auto correction = correct(closed, now.rated, now.rated, now.allocation);
  REQUIRE(correction);
  CHECK(correction->reason == CorrectionReason::late_usage);
  const auto text = correction_json(*correction);
  CHECK(correction_json(parse_correction(text, "k.json").value()) == text);
  closed.add(std::move(*correction));
  const auto booked = by_team(closed.booked());
  for (const auto* team : {"a", "c"}) CHECK(booked.at(team) == sealed.at(team));
  CHECK(booked.at("b") > sealed.at("b"));
  CHECK(closed.total_minor() == now.rated.total_minor);
  CHECK_FALSE(correct(closed, now.rated, now.rated, now.allocation));
}

TEST_CASE("other terms correct every line they change, once", "[billing]") {
  const auto old_prices = book("1", "0.777");
  const auto new_prices = book("2", "0.5");
  auto more = usage();
  more.add(request("2027-01-20T00:00:00Z", "b"), {{Meter::input_uncached, 100'000}});
  ClosedMonth closed{january(usage().table(), old_prices).allocation, {}};
  // First something late, so that the correction starts from sealed and posted.
  const auto late = january(more.table(), old_prices);
  closed.add(*correct(closed, late.rated, late.rated, late.allocation));
  const auto now = january(more.table(), new_prices);
  auto correction = correct(closed, late.rated, now.rated, now.allocation);
  REQUIRE(correction);
  CHECK(correction->reason == CorrectionReason::other_terms);
  const std::vector<std::string> contents = {
      allocation_json(january(usage().table(), old_prices).allocation),
      correction_json(*correct({january(usage().table(), old_prices).allocation, {}}, late.rated,
                               late.rated, late.allocation)),
      correction_json(*correction)};
  auto sums = by_team(closed.booked());
  for (const auto& line : correction->lines) sums[line.team] += line.amount_minor;
  CHECK(sums == by_team(lines_of(now.allocation)));
  closed.add(std::move(*correction));
  CHECK(closed.total_minor() == now.rated.total_minor);
  CHECK_FALSE(correct(closed, now.rated, now.rated, now.allocation));
  const auto stored = read_closed_month(contents, "c/2027-01").value();
  CHECK(stored.total_minor() == closed.total_minor());
  CHECK(by_team(stored.booked()) == by_team(closed.booked()));
  // A version of the book that changes nothing here is no other terms.
  const auto same = january(more.table(), book("3", "0.5"));
  CHECK_FALSE(correct(closed, now.rated, same.rated, same.allocation));
}
