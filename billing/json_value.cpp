#include "billing/json_value.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "schemas/verify.h"

namespace gauger::billing {
namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

void put_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escaped.data();
    }
  }
}

void put_text(std::string& out, std::string_view text) {
  out += '"';
  for (auto at = text.begin(); at != text.end();) {
    const auto end = std::find_if_not(at, text.end(), is_plain);
    out.append(at, end);
    at = end;
    if (at != text.end()) put_escaped(out, *at++);
  }
  out += '"';
}

}  // namespace

JsonValue& JsonValue::operator[](std::string_view name) {
  auto* object = std::get_if<Object>(&value_);
  VERIFY(object != nullptr, "only objects have members");
  return object->try_emplace(std::string(name)).first->second;
}

void JsonValue::push_back(JsonValue item) {
  auto* array = std::get_if<Array>(&value_);
  VERIFY(array != nullptr, "only arrays have items");
  array->push_back(std::move(item));
}

std::string JsonValue::canonical() const {
  std::string out;
  put(out);
  return out;
}

void JsonValue::put(std::string& out) const {
  if (const auto* text = std::get_if<std::string>(&value_)) {
    put_text(out, *text);
  } else if (const auto* number = std::get_if<int64_t>(&value_)) {
    out += std::to_string(*number);
  } else if (const auto* truth = std::get_if<bool>(&value_)) {
    out += *truth ? "true" : "false";
  } else if (const auto* array = std::get_if<Array>(&value_)) {
    out += '[';
    for (const auto& item : *array) {
      if (&item != &array->front()) out += ',';
      item.put(out);
    }
    out += ']';
  } else {
    out += '{';
    bool first = true;
    for (const auto& [name, member] : std::get<Object>(value_)) {
      if (!first) out += ',';
      first = false;
      put_text(out, name);
      out += ':';
      member.put(out);
    }
    out += '}';
  }
}

}  // namespace gauger::billing
