// Backups: the journal of a live ledger in files (journal_file.h), and per backup a manifest that
// says how far it goes. Taken beside the writer, from what is durable; a file that is there is
// never copied again; killed midway it loses nothing but time, and what was copied counts.
//
// Directory: lock; journal-*.gjf; backup-<number>.manifest, text: "gauger backup 1", then lines
// `made_at`, `config` and `head` (hex of their encodings), `file NAME SHA-256` for each, and last
// `sha256` of all before it.
//
// Restoring replays the journal into a new directory, checking everything on the way, and starts
// a new incarnation of the ledger (incarnation.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ledger/backup/journal_file.h"
#include "ledger/disk.h"
#include "ledger/head.h"
#include "schemas/clock.h"

namespace gauger::ledger {

struct Backup {
  uint32_t number = 0;
  Instant made_at{};
  LedgerConfig config;
  Head head;  // restored, the ledger stands here
  struct File {
    std::string name;
    Digest content;
  };
  std::vector<File> files;
};

struct BackupReport {
  Backup backup;
  uint64_t blocks = 0;     // copied now
  uint64_t bytes = 0;      // written now
  bool unchanged = false;  // the last backup already says all
};

// Done of how many blocks.
using BackupProgress = std::function<void(uint64_t done, uint64_t total)>;

// `archive`: where the blocks lie that retention took out of the ledger; empty: none were.
// unavailable while another backup runs into the directory; refused where the directory belongs
// to another ledger, or to another incarnation of it. `disk` is the ledger's.
Result<BackupReport> back_up(const std::filesystem::path& data, const std::filesystem::path& to,
                             const std::filesystem::path& archive, const Clock& clock,
                             const BackupProgress& progress, Disk& disk = Disk::machine());

// Oldest first.
Result<std::vector<Backup>> list_backups(const std::filesystem::path& from);
// By number; 0: the last. not_found.
Result<Backup> find_backup(const std::filesystem::path& from, uint32_t number);

// Reads every file of the backup: hashes, chain, identities.
Result<void> verify_backup(const std::filesystem::path& from, const Backup& backup,
                           const BackupProgress& progress);

struct RestoreReport {
  Head head;  // of the new incarnation
  uint32_t incarnation = 0;
};
// refused where `data` exists and is not empty. Killed midway it leaves nothing under that name.
Result<RestoreReport> restore(const std::filesystem::path& from, const Backup& backup,
                              const std::filesystem::path& data, const std::string& author,
                              const Clock& clock, const BackupProgress& progress);

}  // namespace gauger::ledger
