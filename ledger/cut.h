// Where a journal begins that retention has cut: the blocks up to there lie in an archive, but for
// those with documents, which stay. What they made of everything beside the journal is kept with
// the cut, so that the rest is verified from there as from nothing.
//
// The rollups of long ago are kept by whole days (whole_days.h), if retention was told so.
//
// In Family::meta under `cut`: u16 format, text head, zigzag where fine rollups begin in
// microseconds, varint days, then i64 day, u64 sum of the rollups each, varint entries, then u8
// family, text key, text value each, u64 XXH3 of all before. Its SHA-256 stands in the document
// "journal_cut" of the chain.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "ledger/head.h"
#include "ledger/memory_store.h"

namespace gauger::ledger {

inline constexpr std::string_view cut_key = "cut";

struct Cut {
  Head head;            // as it was after the last block that may be gone
  Instant fine_from{};  // rollups of before are kept by whole days
  // Baselines: rollups per UTC day (rollup_sum.h), and what was stored beside the journal.
  std::map<int32_t, uint64_t> days;
  MemoryStore beside;
};

Result<std::string> encode(const Cut& cut);
Result<Cut> decode_cut(std::string_view bytes);
// None in a ledger that is whole.
Result<std::optional<Cut>> read_cut(const Store& store);
// Of the last block that may be gone; an empty head in a ledger that is whole. Reads no baseline.
Result<Head> read_cut_head(const Store& store);
// Where fine rollups begin; the epoch where they all are there.
Result<Instant> read_fine_from(const Store& store);

// What is told to whoever asks for what was cut.
Error archived_error(const Head& cut, const std::string& what);

}  // namespace gauger::ledger
