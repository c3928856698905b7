// Why: a quote is how anybody checks a charge by hand.
#include "billing/quote.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book() {
  return parse_price_book(R"(kind: price_book
id: list
version: v1
currency: USD
status: proposed
prices:
  - provider: anthropic
    model: claude
    per: million
    input_uncached: 5
    cache_read: 0.50
    output_text: 25
    context_above:
      200000: {input_uncached: 10, cache_read: 1, output_text: 37.50}
)",
                          "b.yaml")
      .value();
}

QuoteRequest request() {
  QuoteRequest request;
  request.provider = "anthropic";
  request.model = "claude";
  request.at = parse_instant("2026-08-01T00:29:59Z").value();
  return request;
}

}  // namespace

TEST_CASE("a quote shows each line, its rule and the exact total", "[billing]") {
  auto asked = request();
  asked.counts[static_cast<size_t>(Meter::input_uncached)] = 200'001;
  asked.counts[static_cast<size_t>(Meter::output_reasoning)] = 1'000;
  asked.counts[static_cast<size_t>(Meter::images)] = 2;
  const auto answer = quote(asked, book()).value();
  const auto table = quote_table(answer);
  for (const auto* part :
       {"input_uncached      200001  10 per million    2.00001  anthropic claude above 200000 "
        "tokens",
        "output_reasoning      1000  37.5 per million   0.0375  anthropic claude as output_text "
        "above",
        "images                   2  unpriced                   the matching price entry does not",
        "list v1 line 7\n", "\ntotal 2.03751 USD, without 1 unpriced\n"})
    CHECK(table.find(part) != std::string::npos);
  CHECK(quote_json(answer).find("\"total_exact\":\"2.03751\"") != std::string::npos);
}

TEST_CASE("quotes of negative or absurd quantities are refused", "[billing]") {
  auto asked = request();
  asked.counts[0] = -1;
  CHECK(quote(asked, book()).error().code == ErrorCode::invalid_argument);
  asked.counts[0] = 2'000'000'000'000'000;
  CHECK(quote(asked, book()).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a batch adds the exact total to every row", "[billing]") {
  const auto batch = quote_batch(
                         "provider,model_ref,timestamp_utc,input_tokens_total,cache_read_tokens,"
                         "cache_write_tokens,"
                         "output_tokens,note\r\n"
                         "anthropic,claude,2026-08-01,2006,1920,0,300,\"a, \"\"b\"\"\"\n"
                         "anthropic,claude,2026-08-01,10,0,10,0,\n",
                         "q.csv", book())
                         .value();
  CHECK(batch.csv ==
        "provider,model_ref,timestamp_utc,input_tokens_total,cache_read_tokens,cache_write_tokens,"
        "output_tokens,note,total_exact,unpriced\n"
        "anthropic,claude,2026-08-01,2006,1920,0,300,\"a, \"\"b\"\"\",0.00889,\n"
        "anthropic,claude,2026-08-01,10,0,10,0,,0,cache_write_5m\n");
  CHECK(batch.rows == 2);
  CHECK(batch.rows_unpriced == 1);
}

TEST_CASE("batches that cannot be meant are refused with file and line", "[billing]") {
  const auto sentence = [](std::string_view csv) {
    return quote_batch(csv, "q.csv", book()).error().sentence;
  };
  CHECK(sentence("") == "q.csv:1: no header");
  CHECK(sentence("provider,model\n") == "q.csv:1: the column 'at' is missing");
  CHECK(sentence("provider,model,at\na,b\n") == "q.csv:2: 2 fields, but 3 columns");
  CHECK(sentence("provider,model,at\na,b,noon\n").substr(0, 9) == "q.csv:2: ");
  CHECK(sentence("provider,model,at,input_tokens_total,cache_read_tokens\na,b,2026-01-01,1,2\n") ==
        "q.csv:2: the cached tokens exceed the total input");
  CHECK(sentence("provider,model,at,output_text\na,b,2026-01-01,-1\n").substr(0, 9) == "q.csv:2: ");
  CHECK(sentence("provider,model,at\n\"a,b,2026-01-01\n") ==
        "q.csv:2: a quoted field that does not end");
}
