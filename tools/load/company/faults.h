// What happens to a month on its way: copies, re-stamped copies, conflicting copies, late
// records, outcomes that are known only later, retractions and replacements.
//
// A copy comes after its original and in the same file (re-stamped and conflicting ones must:
// the first record of an identity stands). Retractions and outcomes may come before what they
// speak of; the ledger lets them wait.
#pragma once

#include "tools/load/company/traffic.h"

namespace gauger::load::company {

// Appends records to `events` and marks the ones they change.
void add_faults(const MonthOptions& options, Serials& serials, std::vector<PlannedEvent>& events);

}  // namespace gauger::load::company
