#include "billing/document.h"

#include <algorithm>

#include "schemas/limits.h"
#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::billing {

const Node* Node::find(std::string_view name) const {
  for (const auto& member : members)
    if (member.name == name) return &member.value;
  return nullptr;
}

Error document_error(std::string_view file, int line, std::string sentence) {
  auto where = std::string(file);
  if (line > 0) where += ":" + std::to_string(line);
  return invalid_argument(where + ": " + std::move(sentence));
}

Result<Fields> Fields::of(std::string_view file, const Node& node, std::string_view what) {
  if (node.kind != Node::Kind::map)
    return document_error(file, node.line, std::string(what) + " is a map of keys and values");
  return Fields(file, node, what);
}

const Node* Fields::optional(std::string_view name) {
  known_.push_back(name);
  return node_->find(name);
}

Result<const Node*> Fields::required(std::string_view name) {
  const auto* found = optional(name);
  if (found == nullptr)
    return error(std::string(what_) + " needs the key '" + std::string(name) + "'");
  return found;
}

Result<std::string> Fields::text(std::string_view name) {
  TRY(const auto* found, required(name));
  return read_text(file_, *found, name);
}

Result<std::string> Fields::text_or(std::string_view name, std::string_view otherwise) {
  const auto* found = optional(name);
  if (found == nullptr) return std::string(otherwise);
  return read_text(file_, *found, name);
}

Result<std::optional<Instant>> Fields::instant(std::string_view name) {
  const auto* found = optional(name);
  if (found == nullptr) return std::optional<Instant>();
  TRY(const auto instant, read_instant(file_, *found));
  return std::optional(instant);
}

Result<std::span<const Node>> Fields::list(std::string_view name) {
  const auto* found = optional(name);
  if (found == nullptr) return std::span<const Node>();
  if (found->kind != Node::Kind::list)
    return error(*found, "'" + std::string(name) + "' is a list");
  return std::span<const Node>(found->items);
}

Result<void> Fields::finish() const {
  for (const auto& member : node_->members) {
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
    std::string names;
    for (const auto name : known_) names += (names.empty() ? "" : ", ") + std::string(name);
    return document_error(file_, member.line,
                          "unknown key '" + member.name.substr(0, 64) + "' in " +
                              std::string(what_) + "; known are " + names);
  }
  return success();
}

Result<Heading> read_heading(Fields& fields, std::string_view kind) {
  TRY(const auto given, fields.text("kind"));
  if (given != kind)
    return fields.error("'kind: " + given + "' is not '" + std::string(kind) + "'");
  Heading heading;
  TRY(heading.id, fields.text("id"));
  TRY(heading.version, fields.text("version"));
  TRY(heading.applies_from, fields.instant("applies_from"));
  const auto utc = TimeZone::utc();
  if (heading.applies_from &&
      utc.month_begin(utc.local_month(*heading.applies_from)) != *heading.applies_from)
    return fields.error(
        "'applies_from' is the first day of a month; what changes inside one is dated inside the "
        "document");
  return heading;
}

Result<std::string> read_text(std::string_view file, const Node& node, std::string_view what) {
  if (node.kind != Node::Kind::scalar || node.text.empty())
    return document_error(file, node.line, "'" + std::string(what) + "' is a text");
  if (node.text.size() > limits::text_bytes_max)
    return document_error(file, node.line,
                          "'" + std::string(what) + "' is longer than " +
                              std::to_string(limits::text_bytes_max) + " bytes");
  return node.text;
}

Result<Instant> read_instant(std::string_view file, const Node& node) {
  TRY(const auto text, read_text(file, node, "a time"));
  const auto instant = parse_instant(text);
  if (!instant.has_value()) return document_error(file, node.line, instant.error().sentence);
  return instant.value();
}

Result<int64_t> read_integer(std::string_view file, const Node& node, int64_t min, int64_t max) {
  TRY(const auto value, read_decimal(file, node, 0));
  if (value < min || value > max)
    return document_error(file, node.line,
                          "'" + node.text + "' is not between " + std::to_string(min) + " and " +
                              std::to_string(max));
  return static_cast<int64_t>(value);
}

Result<Int128> read_decimal(std::string_view file, const Node& node, int digits) {
  TRY(const auto text, read_text(file, node, "a number"));
  const auto value = parse_decimal(text, digits);
  if (!value.has_value()) return document_error(file, node.line, value.error().sentence);
  return value.value();
}

std::string yaml_text(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '/' || c == '-';
  };
  const bool safe = !text.empty() && std::all_of(text.begin(), text.end(), plain) &&
                    ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) &&
                    text != "null" && text != "true" && text != "false" && text != "yes" &&
                    text != "no" && text != "on" && text != "off" && text != "y" && text != "n";
  if (safe) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace gauger::billing
