// Lines that stand in one cell more than once, word for word. Private to
// billing/reconciliation/rules.
#pragma once

#include <vector>

#include "billing/reconciliation/rules/open_differences.h"

namespace gauger::billing {

struct RepeatedLine {
  const StatementLine* line;
  int64_t times;
  Rational each;  // what one of them adds to its cell: its quantity, or what its amount is worth
};

// None that adds nothing.
std::vector<RepeatedLine> repeated_lines(const OpenDifferences& open, size_t index);

}  // namespace gauger::billing
