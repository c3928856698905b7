// Retention's second half: rollups of long ago are gathered into whole days (ledger/whole_days.h).
// Only days that nothing admitted from now on lies in, but by backfill: those that end an
// admission window before the first block that is left. So no quota's window and no late event
// needs what goes, and the archive holds all that it was folded from.
#pragma once

#include <functional>
#include <optional>

#include "ledger/apply.h"
#include "ledger/cut.h"
#include "ledger/rocks_store.h"
#include "ledger/whole_days.h"

namespace gauger::ledger {

// Where fine rollups may begin after a cut, if those of before a local day are to go; not before
// where they begin now.
Result<Instant> fine_from_after(const RocksStore& store, const LedgerConfig& config, const Cut& cut,
                                int32_t before_day);

// The baseline of a cut whose `fine_from` moves on, once what is stored was found to be the fold of
// the journal. All blocks behind the cut are there, and packed up to `packed_through`.
Result<void> move_fine_from(const RocksStore& store, const LedgerConfig& config, Instant fine_from,
                            uint64_t packed_through, Cut& cut);

// Gathers what is not yet. Days that it wrote anew. May be killed: what is gathered and what is
// not answers the same.
Result<uint64_t> gather_days(RocksStore& store, const LedgerConfig& config, Instant fine_from,
                             const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace gauger::ledger
