#include "billing/quote.h"

#include <numeric>

#include "billing/json_value.h"
#include "billing/rate.h"
#include "billing/text_table.h"
#include "schemas/limits.h"

namespace gauger::billing {
namespace {

// One request as usage: a period of no length at its instant.
Result<UsageTable> usage_of(const QuoteRequest& request, const PriceBook& book) {
  UsageTable usage;
  usage.grain = std::chrono::minutes{0};
  usage.context_boundaries = book.context_boundaries;
  const auto intern = [&](const std::string& text) {
    if (text.empty()) return StringId{};
    usage.strings.push_back(text);
    return StringId{static_cast<uint32_t>(usage.strings.size() - 1)};
  };
  UsageKey key;
  key.provider = intern(request.provider);
  key.model = intern(request.model);
  key.region = intern(request.region);
  key.accelerator = intern(request.accelerator);
  key.service_tier = request.service_tier;
  UsageRow row;
  row.period = request.at;
  row.requests = 1;
  row.counts = request.counts;
  int64_t input = 0;
  for (size_t i = 0; i < meter_count; ++i) {
    if (request.counts[i] < 0 || request.counts[i] > limits::count_max)
      return invalid_argument("a quantity of " + std::to_string(request.counts[i]) + " " +
                              std::string(meter_names[i]) + " is not between 0 and " +
                              std::to_string(limits::count_max));
    if (i < input_meter_count) input += request.counts[i];
  }
  for (const auto boundary : usage.context_boundaries)
    if (input > boundary) ++key.context_tier;
  for (const auto& [name, count] : request.extras) {
    if (count < 0 || count > limits::count_max)
      return invalid_argument("a quantity of " + std::to_string(count) + " " + name +
                              " is not between 0 and " + std::to_string(limits::count_max));
    usage.extras.push_back({intern(name), count});
  }
  row.extras_count = static_cast<uint32_t>(usage.extras.size());
  usage.keys.push_back(key);
  usage.rows.push_back(row);
  return usage;
}

TextTable table_of(const Quote& quote) {
  TextTable table({{"item"},
                   {"quantity", Align::right},
                   {"unit price"},
                   {"amount", Align::right},
                   {"rule"},
                   {"version"}});
  for (const auto& line : quote.lines) {
    auto label = line.rule.label;
    if (line.rule.item != line.item) label += " as " + line.rule.item;
    if (line.rule.context_above != 0)
      label += " above " + std::to_string(line.rule.context_above) + " tokens";
    table.add(
        {line.item, std::to_string(line.quantity), price_label(line.rule.price),
         format_amount(line.amount), label,
         line.rule.document + " " + line.rule.version + " line " + std::to_string(line.rule.line)});
  }
  for (const auto& line : quote.unpriced)
    table.add({line.item, std::to_string(line.quantity), "unpriced", "",
               std::string(to_string(line.reason)), ""});
  return table;
}

}  // namespace

Result<Quote> quote(const QuoteRequest& request, const PriceBook& book) {
  TRY(const auto usage, usage_of(request, book));
  TRY(const auto rated, rate(usage, book, {.grouping = Grouping::period, .proposals = true}));
  Quote quote;
  quote.currency = rated.currency;
  for (const auto& charge : rated.charges)
    quote.lines.push_back({std::string(rated.item_name(charge.item)), charge.quantity,
                           rated.rules[charge.rule], charge.amount});
  for (const auto& unpriced : rated.unpriced)
    quote.unpriced.push_back(
        {std::string(rated.item_name(unpriced.item)), unpriced.quantity, unpriced.reason});
  quote.total = rated.total();
  return quote;
}

std::string quote_table(const Quote& quote) {
  auto text = table_of(quote).text();
  text += "total " + format_amount(quote.total) + " " + quote.currency.code();
  if (!quote.unpriced.empty())
    text += ", without " + std::to_string(quote.unpriced.size()) + " unpriced";
  return text + "\n";
}

std::string quote_csv(const Quote& quote) { return table_of(quote).csv(); }

std::string quote_json(const Quote& quote) {
  JsonValue root;
  root["currency"] = quote.currency.code();
  root["total_exact"] = format_amount(quote.total);
  root["lines"] = JsonValue::Array();
  for (const auto& line : quote.lines) {
    JsonValue item;
    item["item"] = line.item;
    item["quantity"] = line.quantity;
    item["unit_price"] = price_label(line.rule.price);
    item["amount_exact"] = format_amount(line.amount);
    item["price_book"] = line.rule.document;
    item["version"] = line.rule.version;
    item["line"] = int64_t{line.rule.line};
    item["rule"] = line.rule.label;
    item["priced_as"] = line.rule.item;
    item["context_above"] = line.rule.context_above;
    root["lines"].push_back(std::move(item));
  }
  root["unpriced"] = JsonValue::Array();
  for (const auto& line : quote.unpriced) {
    JsonValue item;
    item["item"] = line.item;
    item["quantity"] = line.quantity;
    item["reason"] = to_string(line.reason);
    root["unpriced"].push_back(std::move(item));
  }
  return root.canonical() + "\n";
}

}  // namespace gauger::billing
