// The parts that the JSON of allocation documents and of their corrections share. Private to
// billing/contracts.
#pragma once

#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "billing/contracts/allocation_document.h"
#include "billing/invoices/json_fields.h"
#include "billing/json_value.h"

namespace gauger::billing {

// Lines with their minor units. Rules stand once in a list of their own and lines name them by
// number, so that a month of ten thousand teams stays within the limit of a document.
class LinesToJson {
 public:
  JsonValue lines(std::span<const InvoiceLine> lines, const Currency& currency);
  JsonValue rules() && { return {std::move(rules_)}; }

 private:
  using Identity =
      std::tuple<std::string, std::string, int, std::string, std::string, int64_t, Price>;
  std::map<Identity, int64_t> numbers_;
  JsonValue::Array rules_;
};

// The lists "rules" and "lines" of the fields.
Result<std::vector<Rule>> parse_rules(JsonFields& fields);
Result<std::vector<InvoiceLine>> parse_lines(JsonFields& fields, std::span<const Rule> rules,
                                             const Currency& currency);

JsonValue late_json(const LateCharge& charge, const Currency& currency);
Result<LateCharge> parse_late(std::string_view file, const Node& node, const Currency& currency);

JsonValue allocation_value(const AllocationDocument& allocation);
Result<AllocationDocument> parse_allocation_value(std::string_view file, const Node& node);

}  // namespace gauger::billing
