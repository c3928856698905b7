// Lines, prices and what goes with them as members of canonical JSON, for invoices, seals and
// allocation documents. Private to billing.
#pragma once

#include "billing/invoices/invoice.h"
#include "billing/invoices/json_fields.h"
#include "billing/json_value.h"

namespace gauger::billing {

JsonValue price_json(const Price& price);
Result<Price> parse_price_json(std::string_view file, const Node& node);

JsonValue rule_json(const Rule& rule);
Result<Rule> parse_rule_json(std::string_view file, const Node& node);

// Who, what, quantity, exact amount and price; the rounded amount stands beside it in a document.
JsonValue line_json(const InvoiceLine& line);
// Leaves `fields` open for members of the caller's own.
Result<InvoiceLine> parse_line_json(JsonFields& fields);

JsonValue posted_json(const PostedLine& line, const Currency& currency);
Result<PostedLine> parse_posted(std::string_view file, const Node& node, const Currency& currency);

// Members of the header go into `object`.
void put_header(const InvoiceHeader& header, JsonValue& object);
Result<InvoiceHeader> parse_header(JsonFields& fields);

JsonValue decision_json(const Decision& decision);
Result<Decision> parse_decision(std::string_view file, const Node& node);

// A list of objects, each read by `parse(file, node)`.
template <class Item, class Parse>
Result<std::vector<Item>> parse_list(JsonFields& fields, std::string_view name, Parse parse) {
  TRY(const auto nodes, fields.list(name));
  std::vector<Item> items;
  items.reserve(nodes.size());
  for (const auto& node : nodes) {
    TRY(auto item, parse(fields.file(), node));
    items.push_back(std::move(item));
  }
  return items;
}

template <class Items, class ToJson>
JsonValue json_list(const Items& items, ToJson to) {
  JsonValue::Array array;
  array.reserve(items.size());
  for (const auto& item : items) array.push_back(to(item));
  return array;
}

}  // namespace gauger::billing
