#include "billing/pattern.h"

#include <limits>

namespace gauger::billing {
namespace {

constexpr std::string_view digit_class = "[0-9]";
constexpr size_t patterns_max = 1'000;

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

// How much of the glob stands for the one character; 0 where it does not match.
size_t match_one(std::string_view glob, char c) {
  if (glob.substr(0, digit_class.size()) == digit_class)
    return c >= '0' && c <= '9' ? digit_class.size() : 0;
  return glob[0] == '?' || glob[0] == c ? 1 : 0;
}

// Linear: only the last star is ever tried again.
bool glob_matches(std::string_view glob, std::string_view name) {
  size_t g = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_name = n;
      continue;
    }
    const auto width = g < glob.size() ? match_one(glob.substr(g), name[n]) : 0;
    if (width != 0) {
      g += width;
      ++n;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace

Pattern Pattern::glob(std::string_view text) {
  if (text == "*") return {};
  return {is_glob(text) ? Kind::glob : Kind::exact, std::string(text)};
}

bool Pattern::matches(std::string_view name) const {
  switch (kind_) {
    case Kind::any: return true;
    case Kind::exact: return name == text_;
    case Kind::prefix: return name.substr(0, text_.size()) == text_;
    case Kind::glob: return glob_matches(text_, name);
  }
  return false;
}

int Pattern::specificity() const {
  if (kind_ == Kind::any) return 0;
  if (kind_ == Kind::exact) return std::numeric_limits<int>::max();
  int literal = 0;
  for (size_t i = 0; i < text_.size(); ++i) {
    if (kind_ == Kind::glob && text_.compare(i, digit_class.size(), digit_class) == 0)
      i += digit_class.size() - 1;
    if (kind_ == Kind::prefix || (text_[i] != '*' && text_[i] != '?')) ++literal;
  }
  return literal + 1;
}

std::string Pattern::yaml() const {
  switch (kind_) {
    case Kind::any: return "\"*\"";
    case Kind::prefix: return "{prefix: " + yaml_text(text_) + "}";
    case Kind::glob: return yaml_text(text_);
    case Kind::exact:
      return is_glob(text_) ? "{exact: " + yaml_text(text_) + "}" : yaml_text(text_);
  }
  return {};
}

Result<Pattern> read_pattern(std::string_view file, const Node& node) {
  if (node.kind == Node::Kind::map) {
    TRY(auto fields, Fields::of(file, node, "a pattern"));
    const auto* prefix = fields.optional("prefix");
    const auto* exact = fields.optional("exact");
    TRY(fields.finish());
    if ((prefix == nullptr) == (exact == nullptr))
      return fields.error("a pattern is either a prefix or an exact text");
    TRY(const auto text, read_text(file, prefix != nullptr ? *prefix : *exact, "a pattern"));
    return prefix != nullptr ? Pattern::prefix(text) : Pattern::exact(text);
  }
  TRY(const auto text, read_text(file, node, "a pattern"));
  for (auto at = text.find('['); at != std::string::npos; at = text.find('[', at + 1))
    if (text.compare(at, digit_class.size(), digit_class) != 0)
      return document_error(file, node.line,
                            "'" + text +
                                "': of character classes only [0-9] is known; write "
                                "{exact: ...} for a name with brackets");
  return Pattern::glob(text);
}

Result<std::vector<Pattern>> read_patterns(std::string_view file, const Node& node) {
  std::vector<Pattern> patterns;
  if (node.kind != Node::Kind::list) {
    TRY(auto pattern, read_pattern(file, node));
    patterns.push_back(std::move(pattern));
    return patterns;
  }
  if (node.items.empty() || node.items.size() > patterns_max)
    return document_error(
        file, node.line,
        "a list of patterns has 1 to " + std::to_string(patterns_max) + " entries");
  for (const auto& item : node.items) {
    TRY(auto pattern, read_pattern(file, item));
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

}  // namespace gauger::billing
