// YAML by yaml-cpp's event parser: unlike its node tree, events show duplicate keys, aliases
// and the line of everything.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

#include "billing/document.h"
#include "schemas/limits.h"

namespace gauger::billing {
namespace {

// Deeper than any document of ours, far from the end of the stack.
constexpr size_t depth_max = 64;

struct Refused {
  int line;
  std::string sentence;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add({.kind = Node::Kind::null, .line = line_of(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{line_of(mark), "aliases are not accepted: write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    if (tag != "?" && tag != "!") throw Refused{line_of(mark), "tags are not accepted"};
    const bool quoted = tag == "!";
    const bool is_null = !quoted && (value.empty() || value == "~" || value == "null");
    add({.kind = is_null ? Node::Kind::null : Node::Kind::scalar,
         .quoted = quoted,
         .line = line_of(mark),
         .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open({.kind = Node::Kind::list, .line = line_of(mark)});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open({.kind = Node::Kind::map, .line = line_of(mark)});
  }
  void OnMapEnd() override { close(); }

  Node root;

 private:
  // A map that is being read knows the key whose value comes next.
  struct Open {
    Node node;
    bool has_key = false;
    std::string key = {};
    int key_line = 0;
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }
  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused{line_of(mark), "anchors are not accepted"};
  }

  void open(Node node) {
    if (open_.size() == depth_max)
      throw Refused{node.line, "more than " + std::to_string(depth_max) + " levels"};
    if (!open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().has_key)
      throw Refused{node.line, "a key is a plain text"};
    open_.push_back({.node = std::move(node)});
  }
  void close() {
    auto node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(Node node) {
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    auto& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, node);
    } else {
      parent.node.members.push_back({std::move(parent.key), parent.key_line, std::move(node)});
      parent.has_key = false;
    }
  }
  static void take_key(Open& parent, const Node& node) {
    if (node.kind != Node::Kind::scalar) throw Refused{node.line, "a key is a plain text"};
    if (const auto* first = parent.node.find(node.text))
      throw Refused{node.line, "the key '" + node.text.substr(0, 64) +
                                   "' stands twice, first near line " +
                                   std::to_string(first->line)};
    parent.key = node.text;
    parent.key_line = node.line;
    parent.has_key = true;
  }

  std::vector<Open> open_;
};

}  // namespace

Result<Node> parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > limits::document_bytes_max)
    return document_error(file, 0,
                          "larger than " + std::to_string(limits::document_bytes_max) + " bytes");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    if (!parser.HandleNextDocument(builder)) return document_error(file, 1, "empty document");
    auto root = std::move(builder.root);
    TreeBuilder second;
    if (parser.HandleNextDocument(second))
      return document_error(file, second.root.line, "a file holds one document");
    return root;
  } catch (const Refused& refused) {
    return document_error(file, refused.line, refused.sentence);
  } catch (const YAML::Exception& exception) {
    return document_error(file, exception.mark.line + 1, "not YAML: " + exception.msg);
  }
}

}  // namespace gauger::billing
