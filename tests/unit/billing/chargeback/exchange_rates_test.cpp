// Why: an invoice has one currency, and yesterday's invoice keeps yesterday's rate.
#include "billing/chargeback/exchange_rates.h"

#include "billing/rate.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

ExchangeRates rates() {
  return parse_exchange_rates(R"(kind: exchange_rates
id: ecb
version: 2026-08
rates:
  - {date: 2026-08-01, from: EUR, to: USD, rate: 1.25}
  - {date: 2026-08-03, from: EUR, to: USD, rate: 1.20}
)",
                              "x.yaml")
      .value();
}

const Currency usd = Currency::find("USD").value();
const Currency eur = Currency::find("EUR").value();

}  // namespace

TEST_CASE("the latest rate that had come is frozen, and its reciprocal is exact", "[billing]") {
  const auto at = [](std::string_view time) { return parse_instant(time).value(); };
  CHECK(freeze_rate(rates(), eur, usd, at("2026-08-02")).value().rate == Rational::ratio(5, 4));
  CHECK(freeze_rate(rates(), eur, usd, at("2026-08-03")).value().rate == Rational::ratio(6, 5));
  CHECK(freeze_rate(rates(), usd, eur, at("2026-08-02")).value().rate == Rational::ratio(4, 5));
  CHECK(freeze_rate(rates(), usd, usd, at("1999-01-01")).value().rate == Rational(Int128{1}));
  CHECK(freeze_rate(rates(), eur, usd, at("2026-07-31")).error().code == ErrorCode::not_found);
  CHECK(freeze_rate(rates(), eur, usd, at("2026-09-04")).error().code == ErrorCode::not_found);
  CHECK(
      freeze_rate(rates(), eur, Currency::find("JPY").value(), at("2026-08-03")).error().sentence ==
      "x.yaml: no exchange rate of EUR in JPY within 31 days before 2026-08-03T00:00:00Z");
}

TEST_CASE("a converted invoice is rounded once, in its own currency", "[billing]") {
  UsageBuilder usage;
  usage.add({.project = "a"}, {{Meter::input_uncached, 1}});
  usage.add({.project = "b"}, {{Meter::input_uncached, 2}});
  const auto book =
      parse_price_book(
          "kind: price_book\nid: l\nversion: 1\ncurrency: USD\nprices:\n"
          "  - {provider: anthropic, model: claude-opus-4-6, per: unit, input_uncached: 0.10}\n",
          "b.yaml")
          .value();
  const auto draft = draft_invoice(rate(usage.table(), book).value(),
                                   {.bill_to = "search", .month = parse_month("2026-08").value()});
  const auto frozen = freeze_rate(rates(), usd, eur, parse_instant("2026-08-03").value()).value();
  const auto converted = convert(draft, frozen);
  CHECK(converted.currency == eur);
  CHECK(converted.total_minor == 25);
  CHECK(converted.lines[0].amount_minor == 8);
  CHECK(converted.lines[1].amount_minor == 17);
}

TEST_CASE("of several documents the latest rate is frozen and two of one day agree", "[billing]") {
  const auto document = [](const std::string& id, const std::string& rate) {
    return parse_exchange_rates(
               "kind: exchange_rates\nid: " + id + "\nversion: 1\nrates: [" + rate + "]\n",
               id + ".yaml")
        .value();
  };
  const auto usd = Currency::find("USD").value();
  const auto eur = Currency::find("EUR").value();
  const auto at = parse_instant("2027-01-31").value();
  const auto early = document("early", "{date: 2027-01-02, from: EUR, to: USD, rate: 1.10}");
  const auto late = document("late", "{date: 2027-01-30, from: EUR, to: USD, rate: 1.20}");
  const auto other = document("other", "{date: 2027-01-30, from: EUR, to: USD, rate: 1.21}");
  CHECK(freeze_rate(std::vector{late, early}, eur, usd, at).value().document == "late");
  CHECK(freeze_rate(std::vector{late, other}, eur, usd, at).error().code == ErrorCode::conflict);
  CHECK(freeze_rate(std::vector<ExchangeRates>{}, eur, usd, at).error().code ==
        ErrorCode::not_found);
  CHECK(freeze_rate(std::vector<ExchangeRates>{}, eur, eur, at).has_value());
}

TEST_CASE("exchange rates that cannot be meant are refused", "[billing]") {
  const auto refused = [](const std::string& rate) {
    return !parse_exchange_rates("kind: exchange_rates\nid: e\nversion: 1\nrates:\n" + rate,
                                 "x.yaml")
                .has_value();
  };
  CHECK(refused("  - {date: 2026-08-01, from: EUR, to: USD, rate: 0}\n"));
  CHECK(refused("  - {date: 2026-08-01, from: EUR, to: EUR, rate: 1}\n"));
  CHECK(refused("  - {date: 2026-08-01, from: EUR, to: euro, rate: 1}\n"));
  CHECK(refused("  - {from: EUR, to: USD, rate: 1}\n"));
  CHECK(
      refused("  - {date: 2026-08-01, from: EUR, to: USD, rate: 1}\n"
              "  - {date: 2026-08-01, from: EUR, to: USD, rate: 2}\n"));
}
