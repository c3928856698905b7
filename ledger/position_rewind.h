// Where logs stood at a block that is not the last one in the store. Positions are kept as the last
// block left them; beside a writer, or after a kill, that one may not be durable, and what is not
// durable must not be shown: nor may its partition be missing, for then nobody would wait for it.
#pragma once

#include <vector>

#include "ledger/head.h"
#include "ledger/position.h"
#include "ledger/store.h"

namespace gauger::ledger {

// As of `head`, by partition. Offsets and counts are exact. When a partition was last complete, or
// what its last record was, is none where it lies more than some hundred blocks back: whoever waits
// for a time waits on.
Result<std::vector<Position>> positions_at(const Store& store, const Head& head);

}  // namespace gauger::ledger
