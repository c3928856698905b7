// Dated documents as text: YAML or JSON becomes a tree that remembers its lines, and fields
// are read out of it so that every refusal names file, line and reason. Scalars stay text: a
// decimal never passes through floating point. Anchors, aliases, tags and duplicate keys are
// refused, since a price that means two things is worse than none. Values; no threads.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/instant.h"
#include "schemas/int128.h"
#include "schemas/result.h"

namespace gauger::billing {

// A key of a map with what it stands for. A template, so that Node can hold a list of them
// before it is complete.
template <class Value>
struct NamedNode {
  std::string name;
  int line = 0;
  Value value;
};

struct Node {
  enum class Kind : uint8_t { null, scalar, list, map };
  using Member = NamedNode<Node>;

  Kind kind = Kind::null;
  bool quoted = false;    // a scalar in quotes: text, whatever it looks like
  int line = 0;           // counted from 1; 0 where the format does not tell
  std::string text = {};  // of a scalar
  std::vector<Node> items = {};
  std::vector<Member> members = {};

  const Node* find(std::string_view name) const;
};

// One document. `file` is only for the sentences of errors.
Result<Node> parse_yaml(std::string_view text, std::string_view file);
// JSON of at most limits::document_bytes_max. Numbers keep their text.
Result<Node> parse_json(std::string_view text, std::string_view file);

// "file:line: sentence".
Error document_error(std::string_view file, int line, std::string sentence);

// Reads one map. Every name asked for is known; finish() refuses the others, so it comes last.
class Fields {
 public:
  // `what` completes sentences: "a price", "the contract".
  static Result<Fields> of(std::string_view file, const Node& node, std::string_view what);

  const Node* optional(std::string_view name);
  Result<const Node*> required(std::string_view name);
  Result<std::string> text(std::string_view name);
  Result<std::string> text_or(std::string_view name, std::string_view otherwise);
  Result<std::optional<Instant>> instant(std::string_view name);
  Result<std::span<const Node>> list(std::string_view name);  // empty where absent

  Error error(const Node& at, std::string sentence) const {
    return document_error(file_, at.line, std::move(sentence));
  }
  Error error(std::string sentence) const {
    return document_error(file_, node_->line, std::move(sentence));
  }
  Result<void> finish() const;

  std::string_view file() const { return file_; }
  const Node& node() const { return *node_; }

 private:
  Fields(std::string_view file, const Node& node, std::string_view what)
      : file_(file), what_(what), node_(&node) {}
  std::string_view file_;
  std::string_view what_;
  const Node* node_;
  std::vector<std::string_view> known_;
};

// Scalars, with file and line in the error.
Result<std::string> read_text(std::string_view file, const Node& node, std::string_view what);
Result<Instant> read_instant(std::string_view file, const Node& node);
Result<int64_t> read_integer(std::string_view file, const Node& node, int64_t min, int64_t max);
// value * 10^digits.
Result<Int128> read_decimal(std::string_view file, const Node& node, int digits);

// What every document begins with: its kind, id and version, and the month from which it applies
// (ever, where absent). Changes inside a month are dated inside the document.
struct Heading {
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
};
Result<Heading> read_heading(Fields& fields, std::string_view kind);
template <class Document>
Result<void> read_heading(Fields& fields, std::string_view kind, Document& document) {
  TRY(auto heading, read_heading(fields, kind));
  document.file = fields.file();
  document.id = std::move(heading.id);
  document.version = std::move(heading.version);
  document.applies_from = heading.applies_from;
  return success();
}

// Double-quoted where plain text would be read as something else.
std::string yaml_text(std::string_view text);

}  // namespace gauger::billing
