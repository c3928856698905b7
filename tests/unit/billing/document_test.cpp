// Why: a document that can be read in two ways is a bill that can be argued about.
#include "billing/document.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

TEST_CASE("documents keep their lines and the text of their numbers", "[billing]") {
  const auto root = parse_yaml("a: 0.1000\nb:\n  - x\n  - {c: 'null', d: }\n", "t.yaml").value();
  CHECK(root.find("a")->text == "0.1000");
  CHECK(root.find("b")->items[1].line == 4);
  CHECK(root.find("b")->items[1].find("c")->quoted);
  CHECK(root.find("b")->items[1].find("d")->kind == Node::Kind::null);
}

TEST_CASE("documents that mean two things are refused with file and line", "[billing]") {
  const auto sentence = [](std::string_view text) {
    return parse_yaml(text, "t.yaml").error().sentence;
  };
  CHECK(sentence("a: 1\nb: 2\na: 3\n") == "t.yaml:3: the key 'a' stands twice, first near line 1");
  CHECK(sentence("a: &x 1\nb: *x\n") == "t.yaml:1: anchors are not accepted");
  CHECK(sentence("a: !!float 1\n") == "t.yaml:1: tags are not accepted");
  CHECK(sentence("a: [1\nb: 2\n").substr(0, 7) == "t.yaml:");
  CHECK(sentence("---\na: 1\n---\na: 2\n") == "t.yaml:4: a file holds one document");
  CHECK(sentence("") == "t.yaml:1: empty document");
  CHECK(sentence("[a]: 1\n") == "t.yaml:1: a key is a plain text");
  CHECK_FALSE(parse_yaml(std::string(100'000, '['), "t.yaml").has_value());
}

TEST_CASE("unknown keys are refused by name", "[billing]") {
  const auto root = parse_yaml("id: a\nverison: 1\n", "t.yaml").value();
  auto fields = Fields::of("t.yaml", root, "a thing").value();
  CHECK(fields.text("id").value() == "a");
  CHECK(fields.text("version").error().sentence == "t.yaml:1: a thing needs the key 'version'");
  CHECK(fields.finish().error().sentence ==
        "t.yaml:2: unknown key 'verison' in a thing; known are id, version");
}

TEST_CASE("JSON numbers keep their text and broken JSON is refused", "[billing]") {
  const auto root =
      parse_json(R"({"a": 4.5003000000000007e-07 , "b": ["x\n", true, null, 3]})", "t.json")
          .value();
  CHECK(root.find("a")->text == "4.5003000000000007e-07");
  CHECK_FALSE(root.find("a")->quoted);
  CHECK(root.find("b")->items[0].text == "x\n");
  CHECK(root.find("b")->items[3].text == "3");
  for (const auto* text : {"", "{", "{\"a\":}", "[1,2", "{} {}", "nul", "[01]"})
    CHECK(parse_json(text, "t.json").error().code == ErrorCode::invalid_argument);
  CHECK_FALSE(parse_json(std::string(100'000, '['), "t.json").has_value());
}
