// One dimension of a usage key, as a number and as text.
#pragma once

#include <optional>
#include <string_view>

#include "ledger/usage_query.h"

namespace gauger::ledger {

// Whether the dimension's values are interned names; the others are enums and the context tier.
constexpr bool is_text(Dimension dimension) { return dimension < Dimension::service_tier; }

// A string's id, an enum's number, the context tier.
uint32_t value_of(const UsageKey& key, Dimension dimension);
// The number of an enum's or context tier's text; none where there is no such value.
std::optional<uint32_t> enum_value(Dimension dimension, std::string_view text);
// Whether the key has that value, given as text. `text_of` turns a StringId of the key to text.
template <class TextOf>
bool matches(const UsageKey& key, const Filter& filter, TextOf text_of) {
  const auto value = value_of(key, filter.dimension);
  if (is_text(filter.dimension)) return text_of(StringId{value}) == filter.value;
  return enum_value(filter.dimension, filter.value) == value;
}

}  // namespace gauger::ledger
