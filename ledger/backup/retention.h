// Retention: the beginning of a journal moves into an archive, in the files that backups are made
// of (journal_file.h). Nothing leaves the ledger that was not read back from there. What stays: the
// blocks with documents (so whatever a sealed invoice rests on), identities (an old event that
// comes again is still a duplicate), rollups and everything else. What goes: single events of then,
// and the chance to rebuild without the archive. Rollups of long ago may be gathered into whole
// days (rollup_retention.h): days and months are answered to the same byte, hours no more.
//
// With the ledger's writer away: it takes the lock. Killed midway, it is finished by the next call.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "ledger/head.h"
#include "schemas/clock.h"

namespace gauger::ledger {

struct RetentionOptions {
  std::filesystem::path archive;
  Instant before{};  // blocks that were committed before go
  // Rollups of days before this one of the ledger's calendar (days since 1970-01-01) become whole
  // days, as far as nothing that is still admitted can lie there; none: as they are.
  std::optional<int32_t> fine_rollups_before;
  std::string author = "operator";
};

struct RetentionReport {
  Head cut;               // the journal begins after this block
  uint64_t blocks = 0;    // that the cut moved over, now
  uint64_t removed = 0;   // of them and of earlier ones, from the ledger
  uint64_t archived = 0;  // blocks written to the archive, now
  uint64_t bytes = 0;     // written to the archive, now
  Instant fine_from{};    // rollups of before are kept by whole days
  uint64_t days = 0;      // that were gathered now
};

struct RetentionProgress {
  std::function<void(uint64_t, uint64_t)> blocks;  // done of how many
  std::function<void(uint64_t, uint64_t)> days;
};

// refused where the archive is of another ledger or has a gap; corruption, and the rollups left as
// they are, where they are not the fold of the journal.
Result<RetentionReport> retain(const std::filesystem::path& data, const RetentionOptions& options,
                               const Clock& clock, const RetentionProgress& progress);

}  // namespace gauger::ledger
