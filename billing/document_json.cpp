// JSON by simdjson, into the same tree. Numbers are taken as the text they were written in.
#include <simdjson.h>

#include "billing/document.h"
#include "schemas/limits.h"

namespace gauger::billing {
namespace {

constexpr int depth_max = 64;

namespace json = simdjson::ondemand;

std::string_view trimmed(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                            token.back() == '\t'))
    token.remove_suffix(1);
  return token;
}

// Throws simdjson_error, which parse_json() catches.
template <class Value>
Node read(Value&& value, int depth) {
  if (depth == depth_max) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
  Node node;
  switch (static_cast<json::json_type>(value.type())) {
    case json::json_type::object:
      node.kind = Node::Kind::map;
      for (auto field : static_cast<json::object>(value.get_object())) {
        const std::string_view name = field.unescaped_key();
        auto owned = std::string(name);
        node.members.push_back({std::move(owned), 0, read(field.value(), depth + 1)});
      }
      break;
    case json::json_type::array:
      node.kind = Node::Kind::list;
      for (auto item : static_cast<json::array>(value.get_array()))
        node.items.push_back(read(item.value(), depth + 1));
      break;
    case json::json_type::string:
      node.kind = Node::Kind::scalar;
      node.quoted = true;
      node.text = std::string(static_cast<std::string_view>(value.get_string()));
      break;
    case json::json_type::number:
      node.kind = Node::Kind::scalar;
      node.text = std::string(trimmed(value.raw_json_token()));
      break;
    case json::json_type::boolean:
      node.kind = Node::Kind::scalar;
      node.text = static_cast<bool>(value.get_bool()) ? "true" : "false";
      break;
    case json::json_type::null: break;
  }
  return node;
}

constexpr size_t kept_bytes_max = 64U << 10;

struct Parsers {
  simdjson::dom::parser whole;
  json::parser on_demand;
};

Node read_all(Parsers& parsers, std::string_view text) {
  const simdjson::padded_string padded(text);
  // On-demand parsing checks only what it reads; this checks all of it, its end included.
  static_cast<void>(static_cast<simdjson::dom::element>(parsers.whole.parse(padded)));
  json::document document = parsers.on_demand.iterate(padded);
  json::value value = document.get_value();
  return read(value, 0);
}

}  // namespace

Result<Node> parse_json(std::string_view text, std::string_view file) {
  if (text.size() > limits::document_bytes_max)
    return document_error(file, 0,
                          "larger than " + std::to_string(limits::document_bytes_max) + " bytes");
  try {
    // Most texts are short and many: what parsing them takes is kept.
    thread_local Parsers kept;
    if (text.size() <= kept_bytes_max) return read_all(kept, text);
    Parsers parsers;
    return read_all(parsers, text);
  } catch (const simdjson::simdjson_error& error) {
    return document_error(file, 0, std::string("not JSON: ") + error.what());
  }
}

}  // namespace gauger::billing
