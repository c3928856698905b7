// `gauger rebuild`: everything that is stored beside the journal is made anew from it, and compared
// with what stood there. The journal itself, its dictionary and the quarantine stay as they are.
// Killed midway, the next start or the next rebuild goes on from the journal: exact either way.
//
// A rebuild may give the ledger another grain or time zone; context boundaries are judged when an
// event comes and stay.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ledger/head.h"

namespace gauger::ledger {

struct RebuildOptions {
  std::optional<std::chrono::minutes> grain;
  std::optional<std::string> time_zone;
  std::filesystem::path archive;  // of the beginning, where retention cut the journal
};

struct RebuildReport {
  Head head;
  uint64_t blocks = 0;
  bool reconfigured = false;  // the rollups of before had another grain or zone: not compared
  // What stood there and was not the journal's, each in a sentence. Mended.
  std::vector<std::string> findings;
};

// unavailable beside a writer; corruption where the journal itself is damaged: restore a backup.
Result<RebuildReport> rebuild(const std::filesystem::path& directory, const RebuildOptions& options,
                              const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace gauger::ledger
