// JSON that goes out: a tree and its canonical text (RFC 8785: keys sorted, no white space), so
// that equal documents are equal bytes and can be hashed. Numbers are integers only; amounts
// travel as decimal strings. Values; no threads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gauger::billing {

class JsonValue {
 public:
  using Object = std::map<std::string, JsonValue, std::less<>>;
  using Array = std::vector<JsonValue>;

  JsonValue() : value_(Object()) {}
  JsonValue(std::string_view text) : value_(std::string(text)) {}
  JsonValue(const char* text) : value_(std::string(text)) {}
  JsonValue(const std::string& text) : value_(text) {}
  JsonValue(int64_t number) : value_(number) {}
  JsonValue(bool truth) : value_(truth) {}
  JsonValue(Array items) : value_(std::move(items)) {}

  // Of an object; made where it is missing.
  JsonValue& operator[](std::string_view name);
  // Of an array.
  void push_back(JsonValue item);

  std::string canonical() const;

 private:
  void put(std::string& out) const;
  std::variant<Object, Array, std::string, int64_t, bool> value_;
};

}  // namespace gauger::billing
