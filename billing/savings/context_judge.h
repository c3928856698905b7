// The context tier that a request would have had at the teacher: the boundaries are judged on its
// converted input, which is a property of one request. Pure; some 5 ns where the request is far
// below every boundary.
#pragma once

#include <span>
#include <vector>

#include "billing/savings/program.h"

namespace gauger::billing {

class ContextJudge {
 public:
  // The ledger's boundaries, ascending; the program outlives the judge.
  ContextJudge(const Program& program, std::span<const int64_t> boundaries);

  // `period` is that of the usage row which the request counts in; where no ratio is in force the
  // request keeps its own input.
  Result<ContextTier> tier_of(const Counts& counts, Interval period) const;

 private:
  const Program& program_;
  std::vector<int64_t> boundaries_;
  int64_t ratio_max_ = 1;  // rounded up, of all input classes at all times
};

}  // namespace gauger::billing
