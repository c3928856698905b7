// Why: a description that is not true is worse than none. How: the table of routes and the
// document are held against each other, both ways.
#include "exporters/api/openapi.h"

#include <map>
#include <set>

#include "tests/unit/exporters/api_bench.h"

using namespace gauger;
using namespace gauger::exporters;
using billing::Node;

namespace {

struct Operation {
  std::string id;
  std::set<std::string> roles;
  std::set<std::string> query;
  bool has_body = false;
  bool is_open = false;
  std::set<std::string> statuses;
};
using Operations = std::map<std::pair<std::string, std::string>, Operation>;  // by method and path

const Node& document() {
  static const auto node = billing::parse_yaml(openapi_yaml(), "openapi.yaml").value();
  return node;
}

const Node& at_path(const Node& root, std::initializer_list<std::string_view> names) {
  const auto* node = &root;
  for (const auto name : names) {
    node = node->find(name);
    REQUIRE(node != nullptr);
  }
  return *node;
}

// A parameter, possibly by reference.
const Node& resolved(const Node& node) {
  const auto* reference = node.find("$ref");
  if (reference == nullptr) return node;
  const auto name = reference->text.substr(reference->text.rfind('/') + 1);
  return at_path(document(), {"components", "parameters", name});
}

void add_query(const Node* parameters, Operation& operation) {
  if (parameters == nullptr) return;
  for (const auto& item : parameters->items) {
    const auto& parameter = resolved(item);
    if (at_path(parameter, {"in"}).text == "query")
      operation.query.insert(at_path(parameter, {"name"}).text);
  }
}

Operations described() {
  Operations operations;
  for (const auto& path : at_path(document(), {"paths"}).members)
    for (const auto& method : path.value.members) {
      if (method.name == "parameters") continue;
      Operation operation;
      operation.id = at_path(method.value, {"operationId"}).text;
      for (const auto& role : at_path(method.value, {"x-roles"}).items)
        operation.roles.insert(role.text);
      add_query(path.value.find("parameters"), operation);
      add_query(method.value.find("parameters"), operation);
      operation.has_body = method.value.find("requestBody") != nullptr;
      const auto* security = method.value.find("security");
      operation.is_open = security != nullptr && security->items.empty();
      for (const auto& response : at_path(method.value, {"responses"}).members)
        operation.statuses.insert(response.name);
      operations[{method.name, path.name}] = std::move(operation);
    }
  return operations;
}

Operations routed() {
  Operations operations;
  for (const auto& route : routes()) {
    Operation operation;
    operation.id = route.operation;
    for (size_t i = 0; i < access_role_names.size(); ++i)
      if ((route.roles & mask_of(static_cast<AccessRole>(i))) != 0)
        operation.roles.insert(std::string(access_role_names[i]));
    operation.query.insert(route.query.begin(), route.query.end());
    operation.has_body = route.body_bytes_max != 0;
    operation.is_open = route.roles == 0;
    std::string method(to_string(route.method));
    for (auto& c : method) c = static_cast<char>(std::tolower(c));
    operations[{method, std::string(route.path)}] = std::move(operation);
  }
  return operations;
}

}  // namespace

TEST_CASE("every route is described and every described operation is routed", "[exporters]") {
  const auto in_document = described();
  const auto in_table = routed();
  for (const auto& [key, operation] : in_table) {
    INFO(key.first << " " << key.second);
    const auto found = in_document.find(key);
    REQUIRE(found != in_document.end());
    CHECK(found->second.id == operation.id);
    CHECK(found->second.roles == operation.roles);
    CHECK(found->second.query == operation.query);
    CHECK(found->second.has_body == operation.has_body);
    CHECK(found->second.is_open == operation.is_open);
  }
  for (const auto& [key, operation] : in_document) {
    INFO(key.first << " " << key.second);
    CHECK(in_table.contains(key));
  }
}

TEST_CASE("every problem that a route can answer with is described", "[exporters]") {
  for (const auto& [key, operation] : described()) {
    INFO(key.first << " " << key.second);
    CHECK(operation.statuses.contains("400"));
    if (!operation.is_open) CHECK(operation.statuses.contains("401"));
    if (operation.has_body) CHECK(operation.statuses.contains("415"));
  }
  std::set<std::string> types;
  for (const auto& type :
       at_path(document(), {"components", "schemas", "Problem", "properties", "type", "enum"})
           .items)
    types.insert(type.text);
  CHECK(types.size() == problem_texts.size());
  for (const auto& text : problem_texts)
    CHECK(types.contains("urn:gauger:problem:" + std::string(text.type)));
}
