#include "tools/gauger/report_table.h"

#include <algorithm>
#include <cstdio>

#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::tools {
namespace {

std::string json_of(const ReportTable& report) {
  billing::JsonValue root;
  for (const auto& [name, value] : report.facts) root[name] = value;
  root["rows"] = billing::JsonValue::Array();
  for (const auto& row : report.rows) {
    billing::JsonValue line;
    for (size_t i = 0; i < row.size(); ++i) line[report.columns[i].name] = row[i];
    root["rows"].push_back(std::move(line));
  }
  root["notes"] = billing::JsonValue::Array();
  for (const auto& note : report.notes) root["notes"].push_back(billing::JsonValue(note));
  return root.canonical() + "\n";
}

}  // namespace

void ReportTable::print(Output output) const {
  if (output == Output::json) {
    std::fputs(json_of(*this).c_str(), stdout);
    return;
  }
  std::vector<billing::TextTable::Column> headings;
  for (const auto& column : columns) {
    auto name = column.name;
    if (output == Output::table) std::replace(name.begin(), name.end(), '_', ' ');
    headings.push_back({name, column.number ? billing::Align::right : billing::Align::left});
  }
  billing::TextTable table(std::move(headings));
  for (const auto& row : rows) table.add(row);
  std::fputs((output == Output::csv ? table.csv() : table.text()).c_str(), stdout);
  if (output == Output::csv) return;
  for (const auto& note : notes) std::printf("%s\n", note.c_str());
}

}  // namespace gauger::tools
