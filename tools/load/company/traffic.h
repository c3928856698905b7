// The company's month as it really was: every request once, without transport faults.
#pragma once

#include <vector>

#include "tools/load/company/planned_event.h"

namespace gauger::load::company {

struct MonthOptions {
  Interval month;  // UTC
  uint64_t seed = 7;
  uint32_t events = 420'000;  // requests in all, about
};

// Gives out serial numbers: one per identity.
class Serials {
 public:
  uint64_t next() { return next_++; }

 private:
  uint64_t next_ = 0;
};

// Every request completes within the month. A root of a programme has its outcome, its retries
// and its fallback.
std::vector<PlannedEvent> plan_traffic(const MonthOptions& options, Serials& serials);

}  // namespace gauger::load::company
