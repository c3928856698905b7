#include "ingest/formats/csv_mapping.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

using Assignment = CsvMapping::Assignment;

constexpr std::string_view extras_prefix = "extras.";
constexpr std::string_view evidence_prefix = "evidence.";

Error refuse(std::string sentence) { return invalid_argument("CSV mapping: " + sentence); }

// Points an assignment at a field, an extra or evidence.
Result<void> set_target(Assignment& assignment, const std::string& name) {
  if (name.starts_with(extras_prefix) && name.size() > extras_prefix.size()) {
    assignment.extra = name.substr(extras_prefix.size());
    if (find_meter(assignment.extra))
      return refuse(fmt::format("'{}' has a field of its own", assignment.extra));
    return success();
  }
  if (name.starts_with(evidence_prefix) && name.size() > evidence_prefix.size()) {
    assignment.evidence = name.substr(evidence_prefix.size());
    return success();
  }
  assignment.field = find_field(name);
  if (assignment.field == nullptr || assignment.field->kind == FieldKind::extras ||
      assignment.field->kind == FieldKind::target ||
      assignment.field->kind == FieldKind::must_understand)
    return refuse(fmt::format("'{}' is not a field that a column can fill", name));
  return success();
}

Result<TimeFormat> parse_time_format(const std::string& name) {
  for (const auto& [known, format] : {std::pair{"rfc3339", TimeFormat::rfc3339},
                                      {"unix", TimeFormat::unix_seconds},
                                      {"unix_ms", TimeFormat::unix_ms},
                                      {"unix_us", TimeFormat::unix_us}})
    if (name == known) return format;
  return refuse(fmt::format("'{}' is not a time format: rfc3339, unix, unix_ms or unix_us", name));
}

Result<void> parse_columns(const YAML::Node& node, CsvMapping& mapping) {
  if (!node.IsMap()) return refuse("'columns' is not a map");
  for (const auto& member : node) {
    Assignment assignment;
    assignment.columns = {member.first.Scalar()};
    if (member.second.IsScalar()) {
      TRY(set_target(assignment, member.second.Scalar()));
    } else {
      if (!member.second.IsMap() || !member.second["field"])
        return refuse(fmt::format("column '{}' names no field", assignment.columns[0]));
      for (const auto& option : member.second) {
        const auto key = option.first.Scalar();
        if (key == "field") {
          TRY(set_target(assignment, option.second.Scalar()));
        } else if (key == "format") {
          TRY(assignment.time_format, parse_time_format(option.second.Scalar()));
        } else {
          return refuse(fmt::format("'{}' is not a key of a column", key));
        }
      }
    }
    mapping.assignments.push_back(std::move(assignment));
  }
  return success();
}

Result<void> parse_join(const YAML::Node& node, CsvMapping& mapping) {
  if (!node.IsMap()) return refuse("'join' is not a map");
  for (const auto& member : node) {
    Assignment assignment;
    TRY(set_target(assignment, member.first.Scalar()));
    if (assignment.field == nullptr || assignment.field->text == nullptr ||
        !member.second.IsSequence() || member.second.size() < 2)
      return refuse(fmt::format("'{}' is not a text joined from columns", member.first.Scalar()));
    for (const auto& column : member.second) assignment.columns.push_back(column.Scalar());
    mapping.assignments.push_back(std::move(assignment));
  }
  return success();
}

Result<void> parse_constants(const YAML::Node& node, CsvMapping& mapping) {
  if (!node.IsMap()) return refuse("'constants' is not a map");
  for (const auto& member : node) {
    Assignment assignment;
    TRY(set_target(assignment, member.first.Scalar()));
    assignment.constant = member.second.Scalar();
    const auto* field = assignment.field;
    if (field == nullptr || (field->text == nullptr && !is_enum(field->kind)))
      return refuse(fmt::format("'{}' is no constant text or enum", member.first.Scalar()));
    if (is_enum(field->kind) && !find_enum_number(field->kind, assignment.constant))
      return refuse(fmt::format("{} '{}' is unknown", field->name, assignment.constant));
    if (assignment.constant.empty() || assignment.constant.size() > limits::text_bytes_max)
      return refuse(fmt::format("the constant of {} is empty or too long", field->name));
    mapping.assignments.push_back(std::move(assignment));
  }
  return success();
}

Result<void> check_once(const CsvMapping& mapping) {
  for (const auto& a : mapping.assignments)
    if (std::ranges::count_if(mapping.assignments, [&](const Assignment& b) {
          return a.field == b.field && a.extra == b.extra && a.evidence == b.evidence;
        }) > 1)
      return refuse(
          fmt::format("{} is filled twice",
                      a.field != nullptr ? a.field->name : std::string_view(a.extra + a.evidence)));
  return success();
}

Result<CsvMapping> parse_document(const YAML::Node& document) {
  if (!document.IsMap() || document.size() != 1 || !document["csv"] || !document["csv"].IsMap())
    return refuse("the document has one key, 'csv'");
  CsvMapping mapping;
  for (const auto& member : document["csv"]) {
    const auto key = member.first.Scalar();
    if (key == "columns") {
      TRY(parse_columns(member.second, mapping));
    } else if (key == "join") {
      TRY(parse_join(member.second, mapping));
    } else if (key == "constants") {
      TRY(parse_constants(member.second, mapping));
    } else if (key == "delimiter") {
      const auto text = member.second.Scalar();
      if (text.size() != 1 || text == "\"" || text == "\n")
        return refuse("'delimiter' is not one character");
      mapping.delimiter = text[0];
    } else {
      return refuse(fmt::format("'{}' is none of delimiter, columns, join and constants", key));
    }
  }
  if (mapping.assignments.empty()) return refuse("no column is mapped");
  TRY(check_once(mapping));
  return mapping;
}

}  // namespace

Result<CsvMapping> CsvMapping::parse(std::string_view yaml) {
  if (yaml.empty()) return refuse("the format csv needs one");
  if (yaml.size() > limits::document_bytes_max) return refuse("the document is too large");
  try {
    return parse_document(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& exception) {
    return refuse(fmt::format("not YAML: {}", exception.what()));
  }
}

}  // namespace gauger::ingest
