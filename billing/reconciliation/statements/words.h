// What providers' names of tiers, token classes and context windows mean in our words; private to
// billing/reconciliation. What nobody knows keeps its own name, so that it stays visible. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/result.h"

namespace gauger::billing {

// "default" -> "standard", "priority_on_demand" -> "priority", …
std::string tier_of(std::string_view name);

// "0-200k" -> 0, "200k-1M" -> 200000, ">200000" -> 200000.
std::optional<int64_t> context_above_of(std::string_view window);

// What a name such as "USE1-Claude4.6Sonnet-cache-read-input-token-count-batch",
// "gpt-4o-2024-08-06, cached input" or "web search tool calls | gpt-4o" speaks of.
struct SkuWords {
  std::string model;         // empty: names none
  std::string token_class;   // empty: not recognised
  std::string service_tier;  // empty: names none
};
SkuWords usage_type_words(std::string_view usage_type);  // AWS
SkuWords line_item_words(std::string_view line_item);    // OpenAI

// Units in one of a pricing unit: "1K tokens" -> 1000, "1M tokens" or "1000000 Tokens" -> 1000000,
// "Tokens" -> 1, "Hours" -> accelerator-microseconds.
struct PricingUnit {
  int64_t units = 1;
  bool is_tokens = false;
  bool is_hours = false;
};
std::optional<PricingUnit> pricing_unit_of(std::string_view text);

}  // namespace gauger::billing
