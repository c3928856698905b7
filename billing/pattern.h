// Which names a term applies to: any name, one name, a prefix, or a glob with `*` (any text),
// `?` (one character) and `[0-9]` (one digit). Case counts. Values.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "billing/document.h"

namespace gauger::billing {

class Pattern {
 public:
  enum class Kind : uint8_t { any, glob, prefix, exact };

  Pattern() = default;  // any name
  static Pattern exact(std::string_view text) { return {Kind::exact, std::string(text)}; }
  static Pattern prefix(std::string_view text) { return {Kind::prefix, std::string(text)}; }
  // A text without special characters is exact, "*" is any.
  static Pattern glob(std::string_view text);

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }

  bool matches(std::string_view name) const;
  // Greater is more specific: an exact name beats any pattern, and of two patterns the one that
  // spells out more characters wins. Zero for any.
  int specificity() const;

  // As it stands in a document.
  std::string yaml() const;

  friend auto operator<=>(const Pattern&, const Pattern&) = default;

 private:
  Pattern(Kind kind, std::string text) : kind_(kind), text_(std::move(text)) {}
  Kind kind_ = Kind::any;
  std::string text_;
};

// A text (glob or exact), {prefix: text} or {exact: text}.
Result<Pattern> read_pattern(std::string_view file, const Node& node);
// One pattern, or a list of them.
Result<std::vector<Pattern>> read_patterns(std::string_view file, const Node& node);

}  // namespace gauger::billing
