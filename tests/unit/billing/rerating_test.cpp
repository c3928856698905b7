// Why: history stands. A new price reaches the past only as a difference that is posted once.
#include "billing/rerating.h"

#include "billing/rate.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book(const std::string& version, const std::string& prices) {
  return parse_price_book("kind: price_book\nid: list\nversion: " + version +
                              "\ncurrency: USD\nprices:\n  - {provider: anthropic, model: "
                              "claude-opus-4-6, per: unit, " +
                              prices + "}\n",
                          "b.yaml")
      .value();
}

InvoiceDraft august(const UsageTable& usage, const PriceBook& prices) {
  return draft_invoice(rate(usage, prices).value(),
                       {.bill_to = "search", .month = parse_month("2026-08").value()});
}

}  // namespace

TEST_CASE("a difference shows what other prices would change, line by line", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::input_uncached, 10}, {Meter::output_text, 10}});
  const auto before = rate(usage.table(), book("v1", "input_uncached: 1, output_text: 2")).value();
  const auto after =
      rate(usage.table(), book("v2", "input_uncached: 1, output_text: 0.002")).value();
  const auto differences = diff_lines(lines_of(before), lines_of(after));
  REQUIRE(differences.size() == 1);
  CHECK(differences[0].line.item == "output_text");
  CHECK(differences[0].line.rule.version == "v2");
  CHECK(format_amount(differences[0].amount_before) == "20");
  CHECK(format_amount(differences[0].amount_after) == "0.02");
  CHECK(difference_table(differences, before.currency).find("difference -19.98 USD") !=
        std::string::npos);
  CHECK(diff_lines(lines_of(before), lines_of(before)).empty());
}

TEST_CASE("corrections bring what is booked to what is current, once", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::input_uncached, 10}, {Meter::images, 1}});
  const auto sealed = august(usage.table(), book("v1", "input_uncached: 1, images: 5"));
  usage.add({}, {{Meter::input_uncached, 1}});
  const auto current = august(usage.table(), book("v2", "input_uncached: 2"));
  auto booked = sealed.lines;
  const auto posted = corrections(booked, current);
  REQUIRE(posted.size() == 2);
  CHECK(posted[0].item == "images");
  CHECK(posted[0].quantity == -1);
  CHECK(posted[0].amount_minor == -500);
  CHECK(posted[1].quantity == 1);
  CHECK(posted[1].amount_minor == 1'200);
  booked.insert(booked.end(), posted.begin(), posted.end());
  CHECK(corrections(booked, current).empty());
}
