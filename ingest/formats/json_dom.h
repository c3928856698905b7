// Short names for asking a parsed JSON document. Absent, null and of another type are alike:
// a provider's response is not ours to validate beyond what is counted.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>

#include "ingest/check.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

namespace dom = simdjson::dom;

inline std::optional<dom::element> find_member(dom::object object, std::string_view key) {
  dom::element element;
  if (object.at_key(key).get(element) != simdjson::SUCCESS || element.is_null())
    return std::nullopt;
  return element;
}

inline std::optional<dom::object> object_at(dom::object object, std::string_view key) {
  const auto element = find_member(object, key);
  dom::object member;
  if (!element || element->get_object().get(member) != simdjson::SUCCESS) return std::nullopt;
  return member;
}

inline std::optional<dom::array> array_at(dom::object object, std::string_view key) {
  const auto element = find_member(object, key);
  dom::array member;
  if (!element || element->get_array().get(member) != simdjson::SUCCESS) return std::nullopt;
  return member;
}

inline std::string_view text_at(dom::object object, std::string_view key) {
  const auto element = find_member(object, key);
  std::string_view text;
  if (!element || element->get_string().get(text) != simdjson::SUCCESS) return {};
  return text;
}

inline std::optional<int64_t> integer_at(dom::object object, std::string_view key) {
  const auto element = find_member(object, key);
  int64_t integer = 0;
  if (!element || element->get_int64().get(integer) != simdjson::SUCCESS) return std::nullopt;
  return integer;
}

inline void take_text(dom::object object, std::string_view key, std::string_view& into) {
  if (const auto text = text_at(object, key); !text.empty()) into = text;
}

// Seconds since 1970, as OpenAI writes times; no_instant where they are none.
inline Instant unix_seconds_at(dom::object object, std::string_view key) {
  const auto seconds = integer_at(object, key);
  if (!seconds || *seconds < timestamp_seconds_min || *seconds > timestamp_seconds_max)
    return no_instant;
  return instant_from_us(*seconds * 1'000'000);
}

}  // namespace gauger::ingest
