// Why: a price that is read wrongly, or silently left out, is a wrong bill.
#include "billing/price_book.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

const std::string head =
    "kind: price_book\nid: list\nversion: 2026-08-01\ncurrency: USD\nprices:\n";

Result<PriceBook> book(const std::string& entries) {
  return parse_price_book(head + entries, "book.yaml");
}

std::string refusal(const std::string& entries) { return book(entries).error().sentence; }

int32_t entry_at(const PriceBook& prices, const PriceKey& key, std::string_view at) {
  const auto instant = parse_instant(at).value();
  for (const auto& segment : entries_in_force(prices, key)) {
    if (!segment.interval.contains(instant)) continue;
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    for (const auto& slot : segment.slots)
      if (instant < day + std::chrono::minutes{slot.minute_until}) return slot.index;
  }
  return nothing_applies;
}

}  // namespace

TEST_CASE("prices are pico-units per single unit, whatever they are quoted per", "[billing]") {
  const auto prices = book(R"(
  - {provider: a, model: m, per: million, input_uncached: 0.50, web_searches: {price: 10, per: thousand}}
  - {provider: a, model: n, per: hour, compute_us: 36}
  - {provider: a, model: o, per: hour, compute_us: 2.40}
)")
                          .value();
  CHECK(find_item(prices.entries[0].prices, "input_uncached")->price->unit ==
        UnitPrice{500'000, 1});
  CHECK(find_item(prices.entries[0].prices, "web_searches")->price->unit ==
        UnitPrice{10'000'000'000, 1});
  CHECK(find_item(prices.entries[1].prices, "compute_us")->price->unit == UnitPrice{10'000, 1});
  CHECK(find_item(prices.entries[2].prices, "compute_us")->price->unit ==
        UnitPrice{2'400'000'000'000, compute_us_per_hour});
}

TEST_CASE("price books survive a round trip through their text", "[billing]") {
  const auto prices = book(R"(
  - provider: anthropic
    model: [claude-opus-4-6, "claude-opus-*", {prefix: "claude 4"}, {exact: "odd*name"}]
    region: eu-*
    service_tier: [batch, flex]
    effective_from: 2026-01-01
    effective_until: 2026-09-01T12:30:00Z
    hours: {from: "16:30", until: "00:30"}
    per: million
    input_uncached: 5
    output_text: {graduated: [{up_to: 1000, price: 25}, {price: 20}]}
    output_reasoning: unpriced
    cache_read: {volume: [{up_to: 10, price: 1}, {up_to: 20, price: 0.5}, {price: 0.000001}]}
    requests: {price: 5, per: thousand}
    extras: {sessions: {package: {size: 100, price: 0.03}}}
    context_above:
      200000: {input_uncached: 10, output_text: 37.50, cache_read: 1}
)")
                          .value();
  const auto text = to_yaml(prices);
  const auto again = parse_price_book(text, "book.yaml").value();
  CHECK(to_yaml(again) == text);
  REQUIRE(again.entries.size() == 1);
  CHECK(again.entries[0].prices == prices.entries[0].prices);
  CHECK(again.entries[0].context_above == prices.entries[0].context_above);
  CHECK(again.entries[0].models == prices.entries[0].models);
  CHECK(again.entries[0].hours == prices.entries[0].hours);
  CHECK(again.context_boundaries == std::vector<int64_t>{200'000});
}

TEST_CASE("the most specific entry is in force", "[billing]") {
  const auto prices = book(R"(
  - {provider: a, model: "*", service_tier: any, per: million, input_uncached: 1}
  - {provider: a, model: "claude-*", per: million, input_uncached: 2}
  - {provider: a, model: "claude-opus-*", per: million, input_uncached: 3}
  - {provider: a, model: claude-opus-4, per: million, input_uncached: 4}
  - {provider: a, model: claude-opus-4, region: "eu-*", per: million, input_uncached: 5}
  - {provider: a, model: claude-opus-4, region: eu-west, per: million, input_uncached: 6}
)")
                          .value();
  const auto in_force = [&](std::string_view model, std::string_view region) {
    return entry_at(prices, {.provider = "a", .model = model, .region = region, .accelerator = {}},
                    "2026-01-01");
  };
  CHECK(in_force("gpt", "") == 0);
  CHECK(in_force("claude-3", "") == 1);
  CHECK(in_force("claude-opus-5", "eu-west") == 2);
  CHECK(in_force("claude-opus-4", "") == 3);
  CHECK(in_force("claude-opus-4", "eu-north") == 4);
  CHECK(in_force("claude-opus-4", "eu-west") == 5);
  const PriceKey batch{.provider = "a",
                       .model = "claude-opus-4",
                       .region = {},
                       .accelerator = {},
                       .service_tier = ServiceTier::batch};
  CHECK(entry_at(prices, batch, "2026-01-01") == 0);
}

TEST_CASE("two entries that match equally well are a tie", "[billing]") {
  const auto prices = book(R"(
  - {provider: a, model: "claude-*-x", per: million, input_uncached: 1}
  - {provider: a, model: "claude-x-*", per: million, input_uncached: 2}
)")
                          .value();
  const auto key = [](std::string_view model) {
    return PriceKey{.provider = "a", .model = model, .region = {}, .accelerator = {}};
  };
  CHECK(entry_at(prices, key("claude-x-x"), "2026-01-01") == tie_applies);
  CHECK(entry_at(prices, key("claude-y-x"), "2026-01-01") == 0);
}

TEST_CASE("the latest version that has begun is in force, and ends where it says", "[billing]") {
  const auto prices = book(R"(
  - {provider: a, model: m, per: million, input_uncached: 1}
  - {provider: a, model: m, effective_from: 2026-02-01, per: million, input_uncached: 2}
  - {provider: a, model: m, effective_from: 2026-03-01, effective_until: 2026-04-01, per: million, input_uncached: 3}
)")
                          .value();
  const PriceKey key{.provider = "a", .model = "m", .region = {}, .accelerator = {}};
  CHECK(entry_at(prices, key, "1999-01-01") == 0);
  CHECK(entry_at(prices, key, "2026-01-31T23:59:59Z") == 0);
  CHECK(entry_at(prices, key, "2026-02-01") == 1);
  CHECK(entry_at(prices, key, "2026-03-31T23:59:59Z") == 2);
  CHECK(entry_at(prices, key, "2026-04-01") == nothing_applies);
}

TEST_CASE("hours of the day may wrap midnight", "[billing]") {
  const auto prices = book(R"(
  - {provider: a, model: m, per: million, input_uncached: 2}
  - {provider: a, model: m, hours: {from: "16:30", until: "00:30"}, per: million, input_uncached: 1}
)")
                          .value();
  const PriceKey key{.provider = "a", .model = "m", .region = {}, .accelerator = {}};
  CHECK(entry_at(prices, key, "2026-01-01T00:29:59Z") == 1);
  CHECK(entry_at(prices, key, "2026-01-01T00:30:00Z") == 0);
  CHECK(entry_at(prices, key, "2026-01-01T16:29:59Z") == 0);
  CHECK(entry_at(prices, key, "2026-01-01T16:30:00Z") == 1);
}

TEST_CASE("schedules count graduated, by volume and in packages", "[billing]") {
  const auto prices = book(R"(
  - provider: a
    model: m
    per: unit
    input_uncached: {graduated: [{up_to: 10, price: 3}, {up_to: 20, price: 2}, {price: 1}]}
    output_text: {volume: [{up_to: 10, price: 3}, {up_to: 20, price: 2}, {price: 1}]}
    images: {package: {size: 10, price: 7}}
)")
                          .value();
  const auto amount = [&](std::string_view item, Int128 quantity) {
    return amount_of(*find_item(prices.entries[0].prices, item)->price, quantity) /
           Rational(Int128{pico_per_unit});
  };
  const auto whole = [](int value) { return Rational(Int128{value}); };
  CHECK(amount("input_uncached", 0) == whole(0));
  CHECK(amount("input_uncached", 10) == whole(30));
  CHECK(amount("input_uncached", 11) == whole(32));
  CHECK(amount("input_uncached", 25) == whole(55));
  CHECK(amount("output_text", 10) == whole(30));
  CHECK(amount("output_text", 11) == whole(22));
  CHECK(amount("output_text", 21) == whole(21));
  CHECK(amount("images", 0) == whole(0));
  CHECK(amount("images", 1) == whole(7));
  CHECK(amount("images", 10) == whole(7));
  CHECK(amount("images", 11) == whole(14));
}

TEST_CASE("entries that contradict each other are refused with both lines", "[billing]") {
  CHECK(refusal("  - {provider: a, model: m, per: unit, images: 1}\n"
                "  - {provider: a, model: m, per: unit, images: 2}\n") ==
        "book.yaml:7: 'a m' contradicts the entry at line 6: both price the same usage at the "
        "same time");
  CHECK(book("  - {provider: a, model: m, effective_until: 2026-03-01, per: unit, images: 1}\n"
             "  - {provider: a, model: m, effective_from: 2026-02-01, per: unit, images: 2}\n")
            .error()
            .code == ErrorCode::conflict);
  CHECK(book("  - {provider: a, model: m, hours: {from: '01:00', until: '03:00'}, per: unit, "
             "images: 1}\n"
             "  - {provider: a, model: m, hours: {from: '02:00', until: '04:00'}, per: unit, "
             "images: 2}\n")
            .error()
            .code == ErrorCode::conflict);
  CHECK(book("  - {provider: a, model: m, hours: {from: '01:00', until: '03:00'}, per: unit, "
             "images: 1}\n"
             "  - {provider: a, model: m, hours: {from: '03:00', until: '01:00'}, per: unit, "
             "images: 2}\n")
            .has_value());
  CHECK(refusal("  - {provider: a, model: [m, m], per: unit, images: 1}\n") ==
        "book.yaml:6: the model 'm' stands twice in one entry");
}

TEST_CASE("prices that cannot be meant are refused with file, line and sentence", "[billing]") {
  const auto one = [](const std::string& rest) {
    return refusal("  - {provider: a, model: m, " + rest + "}\n");
  };
  const std::string at = "book.yaml:6: ";
  CHECK(one("per: million, inptu: 5").substr(0, 38) == at + "unknown key 'inptu' in a ");
  CHECK(one("per: dozen, images: 5") ==
        at + "'per: dozen' is none of unit, thousand, million, hour");
  CHECK(one("images: 5") ==
        at + "'per' is missing: is the price per unit, thousand, million or hour?");
  CHECK(one("per: million, images: -5") == at + "a price is not negative");
  CHECK(one("per: million, images: 5,00").find("unknown key '00'") != std::string::npos);
  CHECK(one("per: million, images: 0.0000001") ==
        at + "'0.0000001' per million has more than 12 digits behind the point per single unit");
  CHECK(one("per: unit, images: 1000001") ==
        at + "'1000001' is more than a million per single unit");
  CHECK(one("per: hour, images: 1") == at + "only compute_us is priced per hour, not images");
  CHECK(one("per: unit") == at + "the entry prices nothing");
  CHECK(one("per: unit, images: {graduated: [{up_to: 5, price: 1}, {up_to: 5, price: 1}, {price: "
            "2}]}") == at + "tiers ascend");
  CHECK(one("per: unit, images: {graduated: [{up_to: 5, price: 1}]}") ==
        at + "every tier but the last says 'up_to', and the last does not");
  CHECK(one("per: unit, images: {price: 1, volume: [{price: 2}]}") ==
        at + "a price is one of 'price', 'graduated', 'volume' or 'package'");
  CHECK(one("service_tier: gold, per: unit, images: 1").find("'gold' is no service tier") !=
        std::string::npos);
  CHECK(one("effective_from: 2026-02-30, per: unit, images: 1").find("2026-02-30") !=
        std::string::npos);
  CHECK(one("hours: {from: '12:00', until: '12:00'}, per: unit, images: 1") ==
        at + "the hours are empty: 'from' is 'until'");
  CHECK(one("extras: {images: 1}, per: unit") ==
        at + "'images' is a meter, it does not stand in 'extras'");
  CHECK(refusal("  - {model: m, per: unit, images: 1}\n") ==
        at + "a price entry needs the key 'provider'");
}

TEST_CASE("above a context boundary every token price is said again", "[billing]") {
  CHECK(refusal("  - {provider: a, model: m, per: million, input_uncached: 1, output_text: 2,\n"
                "     context_above: {200000: {input_uncached: 2}}}\n") ==
        "book.yaml:7: above 200000 tokens the price of output_text is missing: say it even where "
        "it is the same, or say 'unpriced'");
  const auto prices =
      book(
          "  - {provider: a, model: m, per: million, input_uncached: 1, web_searches: 2,\n"
          "     context_above: {200000: {input_uncached: 2}}}\n")
          .value();
  const auto& entry = prices.entries[0];
  CHECK(find_item(prices_for_input(entry, 200'000), "input_uncached")->price->unit.pico ==
        1'000'000);
  CHECK(find_item(prices_for_input(entry, 200'001), "input_uncached")->price->unit.pico ==
        2'000'000);
  CHECK(find_item(prices_for_input(entry, 200'001), "web_searches")->price->unit.pico == 2'000'000);
}

TEST_CASE("a boundary that the book does not declare is refused", "[billing]") {
  const std::string text =
      "kind: price_book\nid: b\nversion: 1\ncurrency: USD\ncontext_boundaries: [200000]\nprices:\n"
      "  - {provider: a, model: m, per: million, input_uncached: 1,\n"
      "     context_above: {20000: {input_uncached: 2}}}\n";
  CHECK(parse_price_book(text, "book.yaml").error().sentence ==
        "book.yaml:7: the boundary 20000 is not among the book's context_boundaries");
}
