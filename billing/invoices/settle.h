// Blockers and decisions. An unpriced quantity, counts that were estimated or never came, records
// in quarantine: each stands in the way of the invoices it touches until somebody decides, on
// record. A decision covers the quantity that was seen; more of it blocks again. What only time or
// a document can settle (a month that is not over, a contract's month that is not closed) cannot
// be decided, only forced. Pure.
#pragma once

#include "billing/invoices/seal.h"

namespace gauger::billing {

// Blockers of one id, together.
struct OpenBlocker {
  std::string id;
  Blocker blocker;  // its quantity is the sum
};

struct Settled {
  RatedMonth month;  // with lines at provisional prices, and without what was waived
  std::vector<SettledBlocker> settled;
  std::vector<OpenBlocker> open;  // by id
};

// The last decision about a blocker counts. A waived quantity stays waived when a price turns up.
Settled settle(RatedMonth month, std::span<const Blocker> blockers,
               std::span<const Decision> decisions, const Currency& currency);

// invalid_argument where the action cannot decide such a blocker, or a price is missing.
Result<void> check(const Decision& decision, const OpenBlocker& blocker);

// The flags of `gauger invoice decide` that decide it, for people.
std::string how_to_decide(const OpenBlocker& blocker);

}  // namespace gauger::billing
