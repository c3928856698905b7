#include "exporters/accounting/report_table.h"

#include <algorithm>

#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::exporters {
namespace {

billing::TextTable table_of(const ReportTable& report, bool for_people) {
  std::vector<billing::TextTable::Column> headings;
  for (const auto& column : report.columns) {
    auto name = column.name;
    if (for_people) std::replace(name.begin(), name.end(), '_', ' ');
    headings.push_back({name, column.number ? billing::Align::right : billing::Align::left});
  }
  billing::TextTable table(std::move(headings));
  for (const auto& row : report.rows) table.add(row);
  return table;
}

}  // namespace

std::string ReportTable::text() const {
  auto text = table_of(*this, true).text();
  for (const auto& note : notes) text += note + "\n";
  return text;
}

std::string ReportTable::csv() const { return table_of(*this, false).csv(); }

std::string ReportTable::json() const {
  billing::JsonValue root;
  for (const auto& [name, value] : facts) root[name] = value;
  root["rows"] = billing::JsonValue::Array();
  for (const auto& row : rows) {
    billing::JsonValue line;
    for (size_t i = 0; i < row.size(); ++i) line[columns[i].name] = row[i];
    root["rows"].push_back(std::move(line));
  }
  root["notes"] = billing::JsonValue::Array();
  for (const auto& note : notes) root["notes"].push_back(billing::JsonValue(note));
  return root.canonical() + "\n";
}

}  // namespace gauger::exporters
