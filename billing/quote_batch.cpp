// Quotes for every row of a CSV.
#include <algorithm>
#include <functional>
#include <map>

#include "billing/document.h"
#include "billing/quote.h"
#include "billing/text_table.h"
#include "schemas/limits.h"

namespace gauger::billing {
namespace {

using Row = std::vector<std::string>;

// Total input as OpenAI and Gemini count it; the parts are taken out of it.
struct Totals {
  int64_t input = 0;
  bool given = false;
};

struct Column {
  size_t index;
  std::function<Result<void>(const Node&, QuoteRequest&, Totals&)> read;
};

class BatchReader {
 public:
  BatchReader(std::string_view file, const Row& header) : file_(file) {
    for (size_t i = 0; i < header.size(); ++i) add(header[i], i);
  }

  Result<void> check() const {
    for (const auto* needed : {"provider", "model", "at"})
      if (std::find(given_.begin(), given_.end(), needed) == given_.end())
        return document_error(file_, 1, "the column '" + std::string(needed) + "' is missing");
    return success();
  }

  Result<QuoteRequest> read(const Row& row, int line) const {
    QuoteRequest request;
    Totals totals;
    for (const auto& column : columns_) {
      const Node node{.kind = Node::Kind::scalar, .line = line, .text = row[column.index]};
      TRY(column.read(node, request, totals));
    }
    if (totals.given) {
      auto& uncached = request.counts[static_cast<size_t>(Meter::input_uncached)];
      uncached = totals.input;
      for (const auto part : {Meter::cache_read, Meter::cache_write_5m, Meter::cache_write_1h})
        uncached -= request.counts[static_cast<size_t>(part)];
      if (uncached < 0)
        return document_error(file_, line, "the cached tokens exceed the total input");
    }
    return request;
  }

 private:
  void add(const std::string& name, size_t index) {
    using Field = std::string QuoteRequest::*;
    static const std::map<std::string, Field> texts = {{"provider", &QuoteRequest::provider},
                                                       {"model", &QuoteRequest::model},
                                                       {"model_ref", &QuoteRequest::model},
                                                       {"region", &QuoteRequest::region}};
    static const std::map<std::string, Meter> aliases = {
        {"cache_read_tokens", Meter::cache_read},
        {"cache_write_tokens", Meter::cache_write_5m},
        {"output_tokens", Meter::output_text}};
    if (const auto text = texts.find(name); text != texts.end()) {
      given_.push_back(name == "model_ref" ? "model" : name);
      columns_.push_back({index,
                          [field = text->second](const Node& node, QuoteRequest& request,
                                                 Totals&) -> Result<void> {
                            request.*field = node.text;
                            return success();
                          }});
    } else if (name == "at" || name == "timestamp_utc") {
      given_.emplace_back("at");
      columns_.push_back(
          {index, [this](const Node& node, QuoteRequest& request, Totals&) -> Result<void> {
             TRY(request.at, read_instant(file_, node));
             return success();
           }});
    } else if (name == "service_tier") {
      columns_.push_back(
          {index, [this](const Node& node, QuoteRequest& request, Totals&) -> Result<void> {
             const auto tier = find_name<ServiceTier>(service_tier_names, node.text);
             if (!tier) return document_error(file_, node.line, "no service tier: " + node.text);
             request.service_tier = *tier;
             return success();
           }});
    } else if (name == "input_tokens_total") {
      columns_.push_back(
          {index, [this](const Node& node, QuoteRequest&, Totals& totals) -> Result<void> {
             TRY(totals.input, read_integer(file_, node, 0, limits::count_max));
             totals.given = true;
             return success();
           }});
    } else {
      const auto alias = aliases.find(name);
      const auto meter = alias != aliases.end() ? std::optional(alias->second) : find_meter(name);
      if (!meter) return;
      columns_.push_back(
          {index, [this, meter](const Node& node, QuoteRequest& request, Totals&) -> Result<void> {
             if (node.text.empty()) return success();
             auto& count = request.counts[static_cast<size_t>(*meter)];
             TRY(count, read_integer(file_, node, 0, limits::count_max));
             return success();
           }});
    }
  }

  std::string_view file_;
  std::vector<Column> columns_;
  std::vector<std::string> given_;
};

}  // namespace

Result<QuoteBatch> quote_batch(std::string_view csv, std::string_view file, const PriceBook& book) {
  TRY(const auto rows, parse_csv(csv, file));
  if (rows.empty()) return document_error(file, 1, "no header");
  const BatchReader reader(file, rows.front());
  TRY(reader.check());
  QuoteBatch batch;
  const auto put = [&](const Row& row, std::string_view total, std::string_view unpriced) {
    for (const auto& field : row) batch.csv += csv_field(field) + ",";
    batch.csv += csv_field(total) + "," + csv_field(unpriced) + "\n";
  };
  put(rows.front(), "total_exact", "unpriced");
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto line = static_cast<int>(i + 1);
    if (rows[i].size() != rows.front().size())
      return document_error(file, line,
                            std::to_string(rows[i].size()) + " fields, but " +
                                std::to_string(rows.front().size()) + " columns");
    TRY(const auto request, reader.read(rows[i], line));
    TRY(const auto answer, quote(request, book));
    std::string unpriced;
    for (const auto& missing : answer.unpriced)
      unpriced += (unpriced.empty() ? "" : " ") + missing.item;
    put(rows[i], format_amount(answer.total), unpriced);
    ++batch.rows;
    if (!answer.unpriced.empty()) ++batch.rows_unpriced;
  }
  return batch;
}

}  // namespace gauger::billing
