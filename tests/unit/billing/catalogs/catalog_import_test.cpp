// Why: catalogues are where wrong prices come from. What they say is taken over to the digit,
// and what they do not say stays unpriced.
#include "billing/catalogs/catalog_import.h"

#include <fstream>
#include <sstream>

#include "billing/quote.h"
#include "billing/text_table.h"
#include "tests/catch.h"
#include "tests/shared_data.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

ImportedCatalog import(CatalogFormat format, std::string_view text,
                       std::optional<Instant> from = {}) {
  return import_catalog(format, text,
                        {.file = "c.json", .id = "c", .version = "1", .effective_from = from})
      .value();
}

std::string shared_text(std::string_view file) {
  std::ifstream stream(gauger::tests::shared_data(file));
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// "price_label" of an item in an entry, or "-".
std::string price_of(const PriceEntry& entry, std::string_view item, int64_t input = 0) {
  const auto* found = find_item(prices_for_input(entry, input), item);
  return found == nullptr ? "-" : found->price ? price_label(*found->price) : "unpriced";
}

}  // namespace

TEST_CASE("LiteLLM prices are taken over with their suffixes", "[billing]") {
  const auto imported = import(CatalogFormat::litellm, R"({
    "sample_spec": {"litellm_provider": "x", "input_cost_per_token": 1},
    "last_updated": "2026",
    "gem/m": {"litellm_provider": "gem", "input_cost_per_token": 4.5003000000000007e-07,
      "output_cost_per_token": 1e-05, "input_cost_per_token_above_200k_tokens": 2.5e-06,
      "cache_creation_input_token_cost_above_1hr": 6e-06,
      "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
      "output_cost_per_token_batches": 5e-06, "input_cost_per_second": 1,
      "search_context_cost_per_query": {"low": 0.01, "medium": 0.01}},
    "tiny": {"litellm_provider": "gem", "input_cost_per_token": 1.5e-12},
    "q": {"litellm_provider": "gem", "tiered_pricing": [
      {"range": [0, 32000.0], "input_cost_per_token": 1e-06},
      {"range": [32000.0, 128000.0], "input_cost_per_token": 2e-06}]}})");
  const auto& entries = imported.book.entries;
  CHECK(imported.book.status == BookStatus::proposed);
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].models[0] == Pattern::exact("m"));
  CHECK(price_of(entries[0], "input_uncached") == "0.45003 per million");
  CHECK(price_of(entries[0], "input_uncached", 200'001) == "2.5 per million");
  CHECK(price_of(entries[0], "output_text", 200'001) == "10 per million");
  CHECK(price_of(entries[0], "cache_write_1h") == "6 per million");
  CHECK(price_of(entries[0], "cache_write_1h", 200'001) == "12 per million");
  CHECK(price_of(entries[0], "cache_write_5m") == "-");
  CHECK(price_of(entries[0], "web_searches") == "0.01 per unit");
  CHECK(entries[1].service_tiers == tiers_of(ServiceTier::batch));
  CHECK(price_of(entries[1], "output_text") == "5 per million");
  CHECK(price_of(entries[1], "output_text", 200'001) == "unpriced");
  CHECK(price_of(entries[2], "input_uncached", 32'000) == "1 per million");
  CHECK(price_of(entries[2], "input_uncached", 32'001) == "2 per million");
  CHECK(imported.notes.at("rounded to 10^-12 per single unit").size() == 1);
  CHECK(imported.notes.at("left out: finer than 10^-12 per single unit").size() == 1);
}

TEST_CASE("genai-prices are taken over with tiers, dates and hours", "[billing]") {
  const std::string_view catalog = R"x([{"id": "p", "models": [
    {"id": "a", "match": {"or": [{"starts_with": "a-"}, {"regex": "^b-\\d{2}\\.x$"}, {"regex": "(c|d)"}]},
     "prices": [{"prices": {"input_mtok": 10, "output_mtok": 40}},
                {"constraint": {"start_date": "2025-06-10"}, "prices": {"input_mtok": 2}}]},
    {"id": "e", "match": {"equals": "e"},
     "prices": [{"prices": {"input_mtok": {"base": 1, "tiers": [{"start": 200000, "price": 2}]},
                            "output_mtok": 3, "mystery_mtok": 1}},
                {"constraint": {"start_time": "16:30:00Z", "end_time": "00:30:00Z"},
                 "prices": {"input_mtok": 0.5}}]}]}])x";
  const auto imported = import(CatalogFormat::genai_prices, catalog);
  const auto& entries = imported.book.entries;
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].models == std::vector{Pattern::prefix("a-"), Pattern::glob("b-[0-9][0-9].x")});
  CHECK(entries[1].from == parse_instant("2025-06-10").value());
  CHECK(price_of(entries[1], "output_text") == "-");
  CHECK(price_of(entries[2], "input_uncached", 200'001) == "2 per million");
  CHECK(price_of(entries[2], "cache_read", 200'001) == "2 per million");
  CHECK(price_of(entries[2], "cache_write_1h") == "-");
  CHECK(price_of(entries[2], "output_text", 200'001) == "3 per million");
  CHECK(entries[3].hours == DayWindow{16 * 60 + 30, 30});
  const auto later =
      import(CatalogFormat::genai_prices, catalog, parse_instant("2026-01-01").value());
  REQUIRE(later.book.entries.size() == 3);
  CHECK(price_of(later.book.entries[0], "input_uncached") == "2 per million");
}

TEST_CASE("what changes above a foreign boundary is named and not priced", "[billing]") {
  const std::string_view catalog = R"([{"id": "p", "models": [
    {"id": "e", "match": {"equals": "e"}, "prices": [
      {"prices": {"input_mtok": 1}},
      {"constraint": {"start_date": "2026-01-01"},
       "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 32000, "price": 2}]}}}]}]}])";
  const auto imported = import_catalog(CatalogFormat::genai_prices, catalog,
                                       {.file = "c.json",
                                        .id = "c",
                                        .version = "1",
                                        .effective_from = {},
                                        .context_boundaries = std::vector<int64_t>{200'000}})
                            .value();
  // The entry stays, so that the price before it does not go on.
  REQUIRE(imported.book.entries.size() == 2);
  CHECK(price_of(imported.book.entries[0], "input_uncached") == "1 per million");
  CHECK(price_of(imported.book.entries[1], "input_uncached") == "unpriced");
  CHECK(imported.book.context_boundaries.empty());
}

TEST_CASE("models.dev prices are taken over line by line", "[billing]") {
  const auto imported = import(
      CatalogFormat::models_dev,
      R"({"provider": "p", "model": "m", "cost": {"input": 0.049999999999999996, "output": 2, "reasoning": 3, "cache_write": 1, "tiers": [{"tier": {"type": "context", "size": 256000}, "input": 0.8}]}}
{"provider": "p", "model": "n", "cost": null}
)");
  REQUIRE(imported.book.entries.size() == 1);
  const auto& entry = imported.book.entries[0];
  CHECK(price_of(entry, "input_uncached") == "0.05 per million");
  CHECK(price_of(entry, "input_uncached", 256'001) == "0.8 per million");
  CHECK(price_of(entry, "output_reasoning", 256'001) == "3 per million");
  CHECK(price_of(entry, "cache_write_5m") == "1 per million");
}

TEST_CASE("catalogues that are something else are refused", "[billing]") {
  const auto refused = [](CatalogFormat format, std::string_view text) {
    return !import_catalog(format, text, {.file = "c.json", .id = "c", .version = "1"}).has_value();
  };
  for (const auto* text : {"", "{", "[]", "{}", "3", "[{\"id\": 1}]"}) {
    CHECK(refused(CatalogFormat::litellm, text));
    CHECK(refused(CatalogFormat::genai_prices, text));
    CHECK(refused(CatalogFormat::models_dev, text));
  }
}

TEST_CASE("real catalogues become books that read back to the same text", "[billing]") {
  const auto round_trip = [](CatalogFormat format, std::string_view file, size_t models) {
    const auto imported = import(format, shared_text(file));
    CHECK(imported.models == models);
    const auto text = to_yaml(imported.book);
    CHECK(to_yaml(parse_price_book(text, "book.yaml").value()) == text);
  };
  round_trip(CatalogFormat::litellm, "prices/litellm_model_prices_2026-07-24.json", 2'983);
  round_trip(CatalogFormat::genai_prices, "prices/genai_prices_v2_2026-08-21.json", 1'466);
}

// The peer adds doubles, so that it may err by a few units in the last of 53 bits; ours is exact.
TEST_CASE("every answer of the peer is met to the precision of its doubles", "[billing]") {
  const auto book =
      import(CatalogFormat::genai_prices, shared_text("prices/genai_prices_v2_2026-08-21.json"))
          .book;
  const auto batch =
      quote_batch(shared_text("prices/oracle_genai_prices_js_0.1.8.csv"), "oracle.csv", book)
          .value();
  CHECK(batch.rows == 559);
  const auto rows = parse_csv(batch.csv, "answer").value();
  const auto column = [&](std::string_view name) {
    return static_cast<size_t>(std::find(rows.front().begin(), rows.front().end(), name) -
                               rows.front().begin());
  };
  const auto peer = column("total_usd");
  const auto ours = column("total_exact");
  const auto unpriced = column("unpriced");
  constexpr int digits = 30;
  const Rational ulps = Rational::ratio(4, Int128{1} << 52);
  for (size_t i = 1; i < rows.size(); ++i) {
    const Rational theirs(parse_decimal(rows[i][peer], digits).value());
    const Rational exact(parse_decimal(rows[i][ours], digits).value());
    const auto difference = theirs < exact ? exact - theirs : theirs - exact;
    CAPTURE(rows[i][0], rows[i][1], rows[i][2], rows[i][peer], rows[i][ours]);
    CHECK(difference <= exact * ulps);
    // The peer gives away the output tokens of an embedding model; we name them.
    CHECK(rows[i][unpriced] ==
          (rows[i][1] == "text-embedding-3-small" && rows[i][6] != "0" ? "output_text" : ""));
  }
}
