// What a restatement changed: the lines of two versions of one statement, added up by all that
// tells them apart, and those that differ. Pure.
#pragma once

#include <string>
#include <vector>

#include "billing/reconciliation/statement.h"

namespace gauger::billing {

struct StatementChange {
  std::string where;  // "2026-08-03 acct-7 claude-opus-4-7 batch output_text"
  std::string currency;
  Rational quantity_before;
  Rational quantity_after;
  Rational amount_before;
  Rational amount_after;
};

std::vector<StatementChange> diff_statements(const Statement& before, const Statement& after);
// At most `limit` changes, the largest first, and how many there are.
std::string statement_diff_table(std::vector<StatementChange> changes, size_t limit);

}  // namespace gauger::billing
