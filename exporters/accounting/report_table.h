// A report of rows for people and programs: one set of columns as table, CSV or JSON. In JSON every
// row is an object of texts by column, amounts as decimal strings.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gauger::exporters {

struct ReportTable {
  struct Column {
    std::string name;  // "break_even"; a table shows it with spaces
    bool number = false;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> notes;  // sentences below the table; `notes` in JSON
  std::vector<std::pair<std::string, std::string>> facts;  // of the whole, in JSON

  std::string text() const;
  std::string csv() const;
  std::string json() const;
};

}  // namespace gauger::exporters
