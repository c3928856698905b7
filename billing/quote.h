// What one request costs under a price book: every line with its price, rule and version. A
// quote is no charge: it may show a proposed book, and price schedules count this request alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "billing/charge.h"
#include "schemas/usage_key.h"

namespace gauger::billing {

struct QuoteRequest {
  std::string provider;
  std::string model;
  std::string region;
  std::string accelerator;
  ServiceTier service_tier = ServiceTier::standard;
  Instant at;
  Counts counts{};
  std::vector<std::pair<std::string, int64_t>> extras;
};

struct QuoteLine {
  std::string item;
  int64_t quantity = 0;
  Rule rule;
  Rational amount;  // pico-units
};

struct UnpricedLine {
  std::string item;
  int64_t quantity = 0;
  UnpricedReason reason = UnpricedReason::no_entry;
};

struct Quote {
  Currency currency;
  std::vector<QuoteLine> lines;
  std::vector<UnpricedLine> unpriced;
  Rational total;  // of the lines; what is unpriced is not in it
};

Result<Quote> quote(const QuoteRequest& request, const PriceBook& book);

std::string quote_table(const Quote& quote);
std::string quote_csv(const Quote& quote);
std::string quote_json(const Quote& quote);

// A CSV of requests, one per row, with `total_exact` and `unpriced` (names of items) added.
// Columns by name: provider; model or model_ref; at or timestamp_utc; region, service_tier;
// meters by their names; or input_tokens_total (cache included), cache_read_tokens,
// cache_write_tokens (5 minutes), output_tokens. Other columns pass through.
struct QuoteBatch {
  std::string csv;
  size_t rows = 0;
  size_t rows_unpriced = 0;
};
Result<QuoteBatch> quote_batch(std::string_view csv, std::string_view file, const PriceBook& book);

}  // namespace gauger::billing
