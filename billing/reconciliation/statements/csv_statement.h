// What the CSV formats share: columns by name, filters, fields that may be missing. Private to
// billing/reconciliation.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/csv_rows.h"
#include "billing/reconciliation/statement_reader.h"

namespace gauger::billing {

// One row; empty where the column is missing, the cell is empty or says NULL.
class CsvRow {
 public:
  CsvRow(const CsvColumns& columns, const CsvRows& rows) : columns_(columns), rows_(rows) {}
  // A column that was looked up once.
  std::string_view at(std::optional<size_t> column) const;
  std::string_view at(std::string_view name) const { return at(columns_.find(name)); }
  int line() const { return rows_.line(); }

 private:
  const CsvColumns& columns_;
  const CsvRows& rows_;
};

using VisitColumns = std::function<Result<void>(const CsvColumns&)>;
using VisitRow = std::function<Result<void>(const CsvRow&)>;
// Each row of each file that passes the filters. Errors of `row` get file and line.
Result<void> each_row(std::span<const ReportFile> files, const ReadOptions& options, char delimiter,
                      const VisitColumns& heading, const VisitRow& row);

// Times of FOCUS, CUR and of people: RFC 3339, with a blank for the T, without a zone (then UTC),
// or a date (then midnight in `zone`).
Result<Instant> read_time(std::string_view text, const TimeZone& zone);

// The days that a line lies in: those from `from` to `until`, or the day of `from` where there is
// no end; the options' days where there is neither, or a sentence that asks for them.
Result<DayRange> read_days(std::string_view from, std::string_view until,
                           const ReadOptions& options);

// Quantity and amount of a row, where there is one.
Result<void> read_numbers(std::string_view quantity, const Rational& units, std::string_view amount,
                          StatementLine& line);

}  // namespace gauger::billing
