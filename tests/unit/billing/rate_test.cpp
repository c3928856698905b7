// Why: this is where usage becomes money. Amounts are checked to the last digit, and what
// cannot be rated must say so instead of costing nothing.
#include "billing/rate.h"

#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book(const std::string& entries) {
  return parse_price_book(
             "kind: price_book\nid: list\nversion: v1\ncurrency: USD\nprices:\n" + entries,
             "b.yaml")
      .value();
}

const std::string opus = R"(
  - provider: anthropic
    model: claude-opus-4-6
    per: million
    input_uncached: 5
    output_text: 25
    cache_read: 0.50
    cache_write_5m: 6.25
    context_above:
      200000: {input_uncached: 10, output_text: 37.50, cache_read: 1, cache_write_5m: 12.50}
)";

std::string total(const UsageTable& usage, const PriceBook& prices) {
  return format_amount(rate(usage, prices).value().total());
}

}  // namespace

TEST_CASE("tokens are rated exactly and each charge names its price", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::input_uncached, 2'006}, {Meter::output_text, 300}});
  usage.add({.at = "2026-08-31T23:30:00Z"}, {{Meter::input_uncached, 1}});
  const auto rated = rate(usage.table(), book(opus)).value();
  REQUIRE(rated.charges.size() == 2);
  const auto& input = rated.charges[0];
  CHECK(input.quantity == 2'007);
  CHECK(format_amount(input.amount) == "0.010035");
  CHECK(input.from == parse_instant("2026-08-01").value());
  CHECK(rated.item_name(input.item) == "input_uncached");
  CHECK(rated.rules[input.rule].document == "list");
  CHECK(rated.rules[input.rule].version == "v1");
  CHECK(rated.rules[input.rule].line == 7);
  CHECK(price_label(rated.rules[input.rule].price) == "5 per million");
  CHECK(format_amount(rated.charges[1].amount) == "0.0075");
  CHECK(rated.unpriced.empty());
}

TEST_CASE("a boundary crossed by cache reads alone moves every price", "[billing]") {
  UsageBuilder at, above;
  at.add({},
         {{Meter::input_uncached, 1'000}, {Meter::cache_read, 199'000}, {Meter::output_text, 100}});
  above.add(
      {},
      {{Meter::input_uncached, 1'000}, {Meter::cache_read, 199'001}, {Meter::output_text, 100}});
  CHECK(total(at.table(), book(opus)) == "0.107");
  CHECK(total(above.table(), book(opus)) == "0.212751");
  CHECK(rate(above.table(), book(opus)).value().rules[0].context_above == 200'000);
}

TEST_CASE("reasoning costs what output costs, once, unless it has its own price", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::output_text, 100}, {Meter::output_reasoning, 900}});
  CHECK(total(usage.table(), book(opus)) == "0.025");
  CHECK(total(usage.table(), book("  - {provider: anthropic, model: claude-opus-4-6, per: million, "
                                  "output_text: 25, output_reasoning: 10}\n")) == "0.0115");
  const auto refused = rate(usage.table(), book("  - {provider: anthropic, model: claude-opus-4-6, "
                                                "per: million, output_text: 25, "
                                                "output_reasoning: unpriced}\n"))
                           .value();
  REQUIRE(refused.unpriced.size() == 1);
  CHECK(refused.unpriced[0].quantity == 900);
}

TEST_CASE("one-hour cache writes never take the five-minute price", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::cache_write_5m, 1'000}, {Meter::cache_write_1h, 2'000}});
  const auto rated = rate(usage.table(), book(opus)).value();
  CHECK(format_amount(rated.total()) == "0.00625");
  REQUIRE(rated.unpriced.size() == 1);
  CHECK(unpriced_sentence(rated, rated.unpriced[0]) ==
        "no price for 2000 cache_write_1h of anthropic claude-opus-4-6 from 2026-08-01T00:00:00Z "
        "(the matching price entry does not price it)");
}

TEST_CASE("usage without a price is named and never free", "[billing]") {
  UsageBuilder usage;
  usage.add({.model = "claude-unknown"}, {{Meter::input_uncached, 5}, {Meter::output_text, 0}});
  usage.add({.service_tier = ServiceTier::batch}, {{Meter::output_text, 7}});
  usage.add({}, {}, {{"code_sessions", 2}});
  const auto rated = rate(usage.table(), book(opus)).value();
  CHECK(rated.charges.empty());
  REQUIRE(rated.unpriced.size() == 3);
  CHECK(rated.unpriced[0].reason == UnpricedReason::no_entry);
  CHECK(rated.unpriced[1].reason == UnpricedReason::no_entry);
  CHECK(rated.unpriced[2].reason == UnpricedReason::no_price);
  CHECK(rated.item_name(rated.unpriced[2].item) == "code_sessions");
}

TEST_CASE("requests and counted extras have prices of their own", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::web_searches, 3}}, {{"code_sessions", 2}});
  usage.add({}, {}, {{"code_sessions", 1}});
  CHECK(total(usage.table(),
              book("  - {provider: anthropic, model: claude-opus-4-6, per: thousand, "
                   "web_searches: 10, requests: 5, extras: {code_sessions: 30}}\n")) == "0.13");
}

TEST_CASE("a price changes at midnight and in the off-peak hours", "[billing]") {
  const auto prices = book(R"(
  - {provider: anthropic, model: claude-opus-4-6, per: unit, input_uncached: 1}
  - {provider: anthropic, model: claude-opus-4-6, effective_from: 2026-08-02, per: unit, input_uncached: 10}
  - {provider: anthropic, model: claude-opus-4-6, hours: {from: "16:30", until: "00:30"}, per: unit, input_uncached: 100}
)");
  const auto at = [&](std::string_view time) {
    UsageBuilder usage;
    usage.add({.at = time}, {{Meter::input_uncached, 1}});
    return total(usage.table(), prices);
  };
  CHECK(at("2026-08-01T00:00:00Z") == "100");
  CHECK(at("2026-08-01T00:30:00Z") == "1");
  CHECK(at("2026-08-01T16:00:00Z") == "1");
  CHECK(at("2026-08-01T16:30:00Z") == "100");
  CHECK(at("2026-08-02T12:00:00Z") == "10");
}

TEST_CASE("a change inside a usage period is refused", "[billing]") {
  UsageBuilder usage;
  usage.add({.at = "2026-08-01T00:00:00Z"}, {{Meter::input_uncached, 1}});
  const auto off_grain = book(R"(
  - {provider: anthropic, model: claude-opus-4-6, per: unit, input_uncached: 1}
  - {provider: anthropic, model: claude-opus-4-6, effective_from: 2026-08-01T00:15:00Z, per: unit, input_uncached: 10}
)");
  CHECK(rate(usage.table(), off_grain).error().sentence ==
        "the terms change at 2026-08-01T00:15:00Z, inside the usage period that begins at "
        "2026-08-01T00:00:00Z and lasts 30 minutes; terms change on the ledger's grain");
  CHECK(rate(usage.grain(std::chrono::minutes{15}).table(), off_grain).has_value());
  const auto off_peak = book(
      "  - {provider: anthropic, model: claude-opus-4-6, "
      "hours: {from: '00:30', until: '16:30'}, per: unit, input_uncached: 1}\n");
  CHECK(rate(usage.grain(std::chrono::minutes{30}).table(), off_peak).has_value());
  CHECK_FALSE(rate(usage.grain(std::chrono::minutes{60}).table(), off_peak).has_value());
  const auto nepal = TimeZone::find("Asia/Kathmandu").value();
  UsageBuilder eve;
  eve.add({.at = "2026-07-31T18:00:00Z"}, {{Meter::input_uncached, 1}});
  CHECK(rate(eve.table(), book(opus), {.zone = nepal}).error().sentence ==
        "the time zone Asia/Kathmandu begins a new month at 2026-07-31T18:15:00Z, inside a usage "
        "period: it is off the ledger's grain");
  CHECK(rate(eve.grain(std::chrono::minutes{15}).table(), book(opus), {.zone = nepal}).has_value());
}

TEST_CASE("a context boundary that the ledger does not keep is refused", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::input_uncached, 1}});
  CHECK(rate(usage.boundaries({128'000, 272'000}).table(), book(opus)).error().sentence ==
        "b.yaml:7: 'anthropic claude-opus-4-6' changes above 200000 tokens, a context boundary "
        "that the ledger does not keep");
  UsageTable broken = usage.boundaries({}).table();
  broken.keys[0].context_tier = 1;
  CHECK_FALSE(rate(broken, book(opus)).has_value());
}

TEST_CASE("ties and proposals are refused", "[billing]") {
  UsageBuilder usage;
  usage.add({.model = "claude-x-x"}, {{Meter::input_uncached, 1}});
  CHECK(rate(usage.table(),
             book("  - {provider: anthropic, model: \"claude-*-x\", per: unit, images: 1}\n"
                  "  - {provider: anthropic, model: \"claude-x-*\", per: unit, images: 1}\n"))
            .error()
            .code == ErrorCode::conflict);
  auto proposal = book(opus);
  proposal.status = BookStatus::proposed;
  CHECK(rate(usage.table(), proposal).error().code == ErrorCode::refused);
  CHECK(rate(usage.table(), proposal, {.proposals = true}).has_value());
}

TEST_CASE("a schedule counts the whole month and everybody pays its average price", "[billing]") {
  const auto prices = book(R"(
  - provider: anthropic
    model: claude-opus-4-6
    per: unit
    output_text: {graduated: [{up_to: 100, price: 1}, {price: 0.5}]}
)");
  UsageBuilder usage;
  usage.add({.team = "search"}, {{Meter::output_text, 50}, {Meter::output_reasoning, 25}});
  usage.add({.team = "ads"}, {{Meter::output_text, 75}});
  usage.add({.at = "2026-09-01T00:00:00Z", .team = "ads"}, {{Meter::output_text, 100}});
  const auto rated = rate(usage.table(), prices).value();
  CHECK(format_amount(rated.total()) == "225");
  REQUIRE(rated.charges.size() == 4);
  CHECK(rated.charges[0].amount == Rational::ratio(Int128{125} * pico_per_unit, 3));
  CHECK(rated.charges[1].amount == Rational::ratio(Int128{125} * pico_per_unit, 6));
  CHECK(rated.charges[2].amount == Rational::ratio(Int128{125} * pico_per_unit, 2));
  CHECK(rated.charges[3].amount == Rational(Int128{100} * pico_per_unit));
}

TEST_CASE("charges keep the model tier that was in force", "[billing]") {
  const auto catalog = parse_model_catalog(R"(
kind: model_catalog
id: c
version: 1
models:
  - {provider: anthropic, model: claude-opus-4-6, tier: frontier}
  - {provider: anthropic, model: claude-opus-4-6, tier: standard, effective_from: 2026-08-15}
)",
                                           "c.yaml")
                           .value();
  UsageBuilder usage;
  usage.add({.at = "2026-08-16T00:00:00Z"}, {{Meter::input_uncached, 1}});
  usage.add({.at = "2026-08-14T00:00:00Z"}, {{Meter::input_uncached, 2}});
  const auto rated = rate(usage.table(), book(opus), {.catalog = &catalog}).value();
  REQUIRE(rated.charges.size() == 2);
  CHECK(rated.model_tiers[rated.charges[0].model_tier] == "frontier");
  CHECK(rated.charges[0].quantity == 2);
  CHECK(rated.model_tiers[rated.charges[1].model_tier] == "standard");
}

TEST_CASE("grouping, intervals and keys select what is summed up", "[billing]") {
  UsageBuilder usage;
  usage.add({.at = "2026-08-01T00:00:00Z"}, {{Meter::input_uncached, 1}});
  usage.add({.at = "2026-08-01T23:30:00Z"}, {{Meter::input_uncached, 2}});
  usage.add({.at = "2026-08-02T00:00:00Z", .team = "ads"}, {{Meter::input_uncached, 4}});
  const auto sizes = [&](const RateOptions& options) {
    std::vector<int64_t> quantities;
    const auto rated = rate(usage.table(), book(opus), options).value();
    for (const auto& charge : rated.charges) quantities.push_back(charge.quantity);
    return quantities;
  };
  CHECK(sizes({.grouping = Grouping::month}) == std::vector<int64_t>{3, 4});
  CHECK(sizes({.grouping = Grouping::period}) == std::vector<int64_t>{1, 2, 4});
  const auto berlin = TimeZone::find("Europe/Berlin").value();
  CHECK(sizes({.zone = berlin, .grouping = Grouping::day}) == std::vector<int64_t>{1, 2, 4});
  const Interval first{parse_instant("2026-08-01").value(), parse_instant("2026-08-02").value()};
  CHECK(sizes({.within = first}) == std::vector<int64_t>{3});
  const std::vector<uint8_t> ads = {0, 1};
  CHECK(sizes({.keys = ads}) == std::vector<int64_t>{4});
  const Interval off_grain{first.from, parse_instant("2026-08-01T23:45:00Z").value()};
  CHECK_FALSE(rate(usage.table(), book(opus), {.within = off_grain}).has_value());
}

TEST_CASE("a schedule that does not depend on the context counts across it", "[billing]") {
  const auto prices = book(R"(
  - provider: anthropic
    model: claude-opus-4-6
    per: unit
    input_uncached: 0
    images: {package: {size: 10, price: 1}}
    context_above: {200000: {input_uncached: 0}}
)");
  UsageBuilder usage;
  usage.add({}, {{Meter::images, 4}});
  usage.add({}, {{Meter::images, 4}, {Meter::input_uncached, 200'001}});
  CHECK(total(usage.table(), prices) == "1");
}
