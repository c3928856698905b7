// Opening: from the store's records to the state in memory. Shared by the writer, by readers
// beside it, and by verification.
#pragma once

#include "ledger/apply.h"
#include "ledger/disk.h"
#include "ledger/projections.h"
#include "ledger/rocks_store.h"
#include "ledger/store.h"

namespace gauger::ledger {

// The stored configuration; none in a store without a ledger.
Result<std::optional<LedgerConfig>> read_config(const Store& store);
Result<Head> read_head(const Store& store);

// How far each partition of each log has been read, whether durable or not.
Result<std::vector<Position>> read_positions(const Store& store);

// Dictionary, positions and waiting amendments as of the head.
Result<void> load_state(const Store& store, const Head& head, State& state);

// Every identity of the journal: cold runs by their filters, the rows behind them from their raw
// ids. Answers the runs that are of no use.
Result<std::vector<RowRange>> load_identities(const Store& store, State& state);

// Reads the packed rollups and folds the blocks behind their watermark, up to the head. A writer
// packs them as they become many; a reader keeps them in memory.
enum class FoldedBlocks : uint8_t { in_memory, packed };
Result<void> load_projections(const Store& store, const State& state, Projections& projections,
                              FoldedBlocks folded = FoldedBlocks::in_memory);

// The ledger's head against what is known to be durable.
Result<void> check_anchor(const Store& store, const Head& head, const Head& anchor);

// The store of a ledger's directory, for writing. Where its log is damaged, what is left must reach
// up to the anchor; if it does not, the answer is corruption and every file is as it was.
Result<std::unique_ptr<RocksStore>> open_store(const std::filesystem::path& directory, Disk& disk);

}  // namespace gauger::ledger
