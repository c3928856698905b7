#include "billing/reconciliation/rules/repeated_lines.h"

namespace gauger::billing {
namespace {

const StatementLine& line_at(const OpenDifferences& open, const CellLine& where) {
  return open.statements()[where.statement].lines[where.line];
}

// What a line adds to its cell: its quantity, or what its amount is worth.
Rational quantity_of(const Cell& cell, const StatementLine& line) {
  if (line.has_quantity) return line.quantity;
  if (line.has_amount && cell.has_price && !cell.price.is_zero()) return line.amount / cell.price;
  return {};
}

}  // namespace

std::vector<RepeatedLine> repeated_lines(const OpenDifferences& open, size_t index) {
  std::vector<RepeatedLine> repeated;
  const auto lines = open.lines_of(index);
  std::vector<bool> counted(lines.size(), false);
  // A cell has a handful of lines; one with hundreds is a sum of many keys, and no evidence.
  if (lines.size() > 256) return repeated;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (counted[i]) continue;
    int64_t times = 1;
    for (size_t j = i + 1; j < lines.size(); ++j)
      if (lines[i].statement == lines[j].statement &&
          line_at(open, lines[i]) == line_at(open, lines[j])) {
        counted[j] = true;
        ++times;
      }
    if (times == 1) continue;
    const auto& line = line_at(open, lines[i]);
    auto each = quantity_of(open.cell(index), line);
    if (!each.is_zero()) repeated.push_back({&line, times, std::move(each)});
  }
  return repeated;
}

}  // namespace gauger::billing
