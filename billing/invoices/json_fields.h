// Members of canonical JSON, read strictly: every member that is asked for must be there, of its
// kind, and no other may. Private to billing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "billing/currency.h"
#include "billing/document.h"
#include "schemas/usage_key.h"

namespace gauger::billing {

class JsonFields {
 public:
  static Result<JsonFields> of(std::string_view file, const Node& node, std::string_view what);

  Result<std::string> text(std::string_view name);  // may be empty
  Result<int64_t> integer(std::string_view name);   // a JSON number
  Result<int64_t> quantity(std::string_view name);  // a text of decimal digits
  Result<bool> truth(std::string_view name);
  Result<Instant> instant(std::string_view name);
  Result<Rational> exact(std::string_view name);
  Result<Int128> minor(std::string_view name, const Currency& currency);
  Result<Currency> currency(std::string_view name);
  Result<int32_t> month(std::string_view name);
  Result<std::span<const Node>> list(std::string_view name);
  Result<const Node*> object(std::string_view name);
  const Node* optional(std::string_view name) { return fields_.optional(name); }
  bool has(std::string_view name) const { return fields_.node().find(name) != nullptr; }

  template <class Enum, size_t N>
  Result<Enum> choice(std::string_view name, const std::array<std::string_view, N>& names) {
    TRY(const auto word, text(name));
    if (const auto found = find_name<Enum>(names, word)) return *found;
    return fields_.error("'" + std::string(name) + "' cannot be '" + word.substr(0, 64) + "'");
  }

  Result<void> finish() const { return fields_.finish(); }
  std::string_view file() const { return fields_.file(); }
  Error error(std::string sentence) const { return fields_.error(std::move(sentence)); }

 private:
  explicit JsonFields(Fields fields) : fields_(std::move(fields)) {}
  Result<std::string_view> scalar(std::string_view name, bool quoted);
  Fields fields_;
};

}  // namespace gauger::billing
