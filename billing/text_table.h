// Tables for people and CSV for programs. Pure text; widths count bytes of UTF-8 characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace gauger::billing {

enum class Align : bool { left, right };

class TextTable {
 public:
  struct Column {
    std::string name;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells);  // one per column
  // Columns two spaces apart; columns that are empty in every row are left out.
  std::string text() const;
  std::string csv() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Quoted as RFC 4180 asks for.
std::string csv_field(std::string_view text);
// Rows of fields; quotes may hold commas and line ends. invalid_argument names file and line.
Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text,
                                                        std::string_view file);

}  // namespace gauger::billing
