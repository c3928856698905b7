// `gauger verify`: proves that a ledger's state is the fold of its journal (P2), that the chain
// of blocks is whole, that no identity was counted twice (P1), and that the journal covers every
// log's offsets without a hole. Reads only, runs beside a writer, in memory that grows with the
// number of identities (16 bytes each) and days, not with the rollups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ledger/disk.h"
#include "ledger/head.h"

namespace gauger::ledger {

struct VerifyReport {
  Head head;  // what was verified: the last durable block
  uint64_t blocks = 0;
  uint64_t archived_through = 0;  // retention cut the journal after this block; 0: it is whole
  Instant fine_from{};            // rollups of before are kept by whole days
  uint64_t rollup_segments = 0;
  uint64_t rollups_through = 0;  // the packed rollups cover the blocks up to here
  uint64_t partitions = 0;       // of logs
  uint64_t documents = 0;        // versions of them
  uint64_t gaps = 0;             // offsets of them that held no record
  // Sentences, each about one thing that does not hold. Empty: all is well.
  std::vector<std::string> findings;
};

// `progress` is told how many of how many blocks are done. An error means that the ledger could
// not be read to its end; damage that was met on the way is then in the error.
Result<VerifyReport> verify(const std::filesystem::path& directory,
                            const std::function<void(uint64_t, uint64_t)>& progress,
                            Disk& disk = Disk::machine());

}  // namespace gauger::ledger
