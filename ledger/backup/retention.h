// Retention: the beginning of a journal moves into an archive, in the files that backups are made
// of (journal_file.h). Nothing leaves the ledger that was not read back from there. What stays: the
// blocks with documents (so whatever a sealed invoice rests on), identities (an old event that
// comes again is still a duplicate), rollups and everything else. What goes: single events of then,
// and the chance to rebuild without the archive.
//
// With the ledger's writer away: it takes the lock. Killed midway, it is finished by the next call.
#pragma once

#include <filesystem>
#include <functional>

#include "ledger/head.h"
#include "schemas/clock.h"

namespace gauger::ledger {

struct RetentionReport {
  Head cut;               // the journal begins after this block
  uint64_t blocks = 0;    // that the cut moved over, now
  uint64_t removed = 0;   // of them and of earlier ones, from the ledger
  uint64_t archived = 0;  // blocks written to the archive, now
  uint64_t bytes = 0;     // written to the archive, now
};

// Blocks of before `before` go. refused where the archive is of another ledger or has a gap.
Result<RetentionReport> retain(const std::filesystem::path& data,
                               const std::filesystem::path& archive, Instant before,
                               const std::string& author, const Clock& clock,
                               const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace gauger::ledger
