// CSV (RFC 4180) row by row, without a copy of what needs none. Fields are views that stay valid
// until the next row is read. A byte order mark and empty lines are passed over. One thread.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace gauger::billing {

class CsvRows {
 public:
  // `file` is for the sentences of errors; both views outlive the reader.
  CsvRows(std::string_view text, std::string_view file, char delimiter = ',');

  // True where there is a row. invalid_argument names file and line.
  Result<bool> next();
  std::span<const std::string_view> fields() const { return fields_; }
  int line() const { return row_line_; }  // where the row begins, counted from 1

 private:
  Result<void> read_row();
  Result<std::string_view> read_field();
  Result<std::string_view> read_quoted();

  std::string_view text_;
  std::string_view file_;
  char delimiter_;
  size_t at_ = 0;
  int line_ = 1;
  int row_line_ = 1;
  std::vector<std::string_view> fields_;
  // Fields that held doubled quotes; as many as the row with the most of them.
  std::deque<std::string> unescaped_;  // which keeps its strings in place as it grows
  size_t unescaped_used_ = 0;
};

// The columns that a file with a heading has, by name; the first of two with one name.
class CsvColumns {
 public:
  explicit CsvColumns(std::span<const std::string_view> heading);
  std::optional<size_t> find(std::string_view name) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

}  // namespace gauger::billing
