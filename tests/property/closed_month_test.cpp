// However a closed month is moved, by late usage, by usage taken back and by other terms, what is
// booked for it is what it costs now, to the minor unit; and correcting it again corrects nothing.
#include <rapidcheck.h>

#include "billing/contracts/closed_month.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book(int version, int64_t cents) {
  const auto text = "kind: price_book\nid: list\nversion: " + std::to_string(version) +
                    "\ncurrency: USD\nprices:\n"
                    "  - {provider: p, model: m0, per: thousand, input_uncached: 0." +
                    std::to_string(cents) +
                    ", output_text: 0.07}\n"
                    "  - {provider: p, model: m1, per: million, input_uncached: 2, output_text: "
                    "{graduated: [{up_to: 1000, price: 9000}, {price: 11}]}}\n";
  return parse_price_book(text, "b.yaml").value();
}

Contract contract() {
  return parse_contract(
             "kind: contract\nid: c\nversion: 1\nprovider: p\ncurrency: USD\nbegins: 2027-01-01\n"
             "ends: 2028-01-01\nregimes: [{from: 2027-01-01, tokens: {price_book: list, discounts: "
             "[{percent: 3.5, model: m0, above: 5}], commitment: {amount: 40, from: 2027-01-01, "
             "until: 2027-02-01}}}]\n",
             "c.yaml")
      .value();
}

void add_usage(UsageBuilder& usage) {
  static const std::array<std::string_view, 4> teams = {"", "a", "b", "c"};
  static const std::array<std::string_view, 2> models = {"m0", "m1"};
  const auto count = *rc::gen::inRange(1, 8);
  for (int i = 0; i < count; ++i)
    usage.add({.at = *rc::gen::element<std::string_view>("2027-01-03", "2027-01-29"),
               .team = teams[*rc::gen::inRange<size_t>(0, 4)],
               .provider = "p",
               .model = models[*rc::gen::inRange<size_t>(0, 2)]},
              {{Meter::input_uncached, *rc::gen::inRange<int64_t>(0, 90'000)},
               {Meter::output_text, *rc::gen::inRange<int64_t>(0, 3'000)}});
}

struct Month {
  ContractMonth rated;
  AllocationDocument allocation;
};

Month january(const UsageTable& usage, const Contract& terms, const PriceBook& prices) {
  PriceBooks books;
  books.emplace("list", prices);
  Month month;
  month.rated =
      rate_contract(usage, {.contract = terms, .books = books}, parse_month("2027-01").value())
          .value();
  month.allocation = allocate_month(month.rated, terms.zone);
  return month;
}

Int128 sum_of(const std::vector<InvoiceLine>& lines) {
  Int128 sum = 0;
  for (const auto& line : lines) sum += line.amount_minor;
  return sum;
}

}  // namespace

TEST_CASE("a closed month is corrected to what it costs now and once only", "[billing]") {
  const auto terms = contract();
  CHECK(rc::check([&] {
    UsageBuilder usage;
    add_usage(usage);
    auto sealed_prices = book(1, *rc::gen::inRange<int64_t>(10, 99));
    const auto first = january(usage.table(), terms, sealed_prices);
    ClosedMonth closed{first.allocation, {}};
    std::vector<std::string> stored = {allocation_json(first.allocation)};
    const auto steps = *rc::gen::inRange(1, 5);
    for (int step = 0; step < steps; ++step) {
      auto prices = sealed_prices;
      if (*rc::gen::arbitrary<bool>()) prices = book(step + 2, *rc::gen::inRange<int64_t>(10, 99));
      if (*rc::gen::arbitrary<bool>()) add_usage(usage);
      const auto before = january(usage.table(), terms, sealed_prices);
      const auto now = january(usage.table(), terms, prices);
      auto correction = correct(closed, before.rated, now.rated, now.allocation);
      if (correction) {
        RC_ASSERT(sum_of(correction->lines) == correction->amount_minor);
        if (correction->reason == CorrectionReason::other_terms) sealed_prices = prices;
        stored.push_back(correction_json(*correction));
        closed.add(std::move(*correction));
      }
      RC_ASSERT(closed.total_minor() == now.rated.total_minor);
      RC_ASSERT(sum_of(closed.booked()) == now.rated.total_minor);
      const auto again = january(usage.table(), terms, sealed_prices);
      RC_ASSERT(!correct(closed, again.rated, now.rated, now.allocation));
    }
    const auto read = read_closed_month(stored, "c/2027-01");
    RC_ASSERT(read.has_value());
    RC_ASSERT(sum_of(read.value().booked()) == sum_of(closed.booked()));
    RC_ASSERT(diff_lines(read.value().booked(), closed.booked()).empty());
  }));
}
