#include "ledger/anchor.h"
#include "ledger/apply.h"
#include "ledger/backup/backup.h"
#include "ledger/backup/incarnation.h"
#include "ledger/backup/manifest.h"
#include "ledger/crash_point.h"
#include "ledger/disk.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/projections.h"
#include "ledger/replay.h"
#include "ledger/rocks_store.h"

namespace gauger::ledger {
namespace {

// Every block of the backup in order, from files that are what the manifest names.
Result<void> read_backup(const std::filesystem::path& from, const Backup& backup,
                         const BackupProgress& progress, const VisitRecord& visit) {
  uint64_t sequence = 0;
  Digest hash{};
  for (const auto& named : backup.files) {
    const auto path = from / named.name;
    TRY(const auto file,
        read_journal_file(path, backup.config,
                          [&](const Block& block, const JournalRecord& record) -> Result<void> {
                            if (block.sequence != sequence + 1 || block.previous_hash != hash)
                              return corruption(path.string() + " does not follow the file before");
                            TRY(visit(block, record));
                            sequence = block.sequence;
                            hash = sha256(record.block);
                            progress(sequence, backup.head.sequence);
                            return success();
                          }));
    if (file.content != named.content)
      return corruption(path.string() + " is not the file that backup " +
                        std::to_string(backup.number) + " names");
  }
  if (sequence != backup.head.sequence || hash != backup.head.hash)
    return corruption("backup " + std::to_string(backup.number) +
                      " ends at another block than its manifest says");
  return success();
}

// A ledger that grows block by block as its journal is replayed.
class Restoration {
 public:
  Restoration(RocksStore& store, const LedgerConfig& config)
      : store_(store),
        config_(config),
        identities_(config, store),
        replay_(config, dictionary_, identities_, store),
        projections_(store, config, dictionary_) {}

  Result<void> begin() {
    WriteSet writes;
    writes.put(Family::meta, std::string(config_key), encode(config_));
    return store_.write(writes);
  }

  Result<void> add(const Block& block, const JournalRecord& record) {
    TRY(learn(block));
    WriteSet writes;
    if (!block.strings.empty() || !block.keys.empty()) put_dictionary(writes, block, encode(block));
    auto row = block.first_row;
    for (const auto& chunk : record.chunks) {
      writes.put(Family::identities, identity_chunk_key(row), chunk);
      row += identity_chunk_records;
    }
    for (const auto& [key, value] : record.quarantine) writes.put(Family::quarantine, key, value);
    writes.put(Family::journal, encode(BlockKey{block.first_row, block.sequence}), record.block);
    TRY(store_.write_unlogged(writes));
    TRY(replay_.add(block, record.block));
    identities_.add(block);
    projections_.publish(fold(block, config_.grain),
                         {block.first_row + block.records(), block.sequence + 1});
    return projections_.flush(false);
  }

  Result<void> finish(const Head& expected) {
    if (replay_.head() != expected)
      return corruption("the backup's journal does not fold to the head of its manifest");
    TRY(projections_.flush(true));
    return store_.flush();
  }

 private:
  Result<void> learn(const Block& block) {
    const auto differs = [&] {
      return corruption("journal block " + std::to_string(block.sequence) +
                        " does not continue the dictionary");
    };
    auto& [strings, keys] = dictionary_;
    if (block.first_string != strings.size() || block.first_key != keys.size()) return differs();
    for (const auto text : block.strings) strings.intern(text);
    for (const auto& key : block.keys) keys.intern(key, KeyDictionary::hash(key));
    if (strings.size() != block.first_string + block.strings.size() ||
        keys.size() != block.first_key + block.keys.size())
      return differs();
    return success();
  }

  RocksStore& store_;
  const LedgerConfig config_;
  Dictionary dictionary_;
  AcceptedIdentities identities_;
  Replay replay_;
  Projections projections_;
};

Result<void> replay_into(const std::filesystem::path& from, const Backup& backup,
                         const std::filesystem::path& directory, const BackupProgress& progress) {
  TRY(const auto store, RocksStore::open(directory / "store", {}));
  Restoration restoration(*store, backup.config);
  TRY(restoration.begin());
  TRY(read_backup(from, backup, progress, [&](const Block& block, const JournalRecord& record) {
    return restoration.add(block, record);
  }));
  TRY(restoration.finish(backup.head));
  TRY(auto anchor, Anchor::open(directory / "anchor"));
  return anchor.write(backup.head);
}

std::string detail_of(const Backup& backup) {
  return "{\"backup\": " + std::to_string(backup.number) + ", \"made_at\": \"" +
         format_instant(backup.made_at) +
         "\", \"sequence\": " + std::to_string(backup.head.sequence) + ", \"head\": \"" +
         to_hex(backup.head.hash) + "\"}";
}

Result<RestoreReport> begin_incarnation(const std::filesystem::path& directory,
                                        const Backup& backup, const std::string& author,
                                        const Clock& clock) {
  TRY(const auto ledger, Ledger::open(directory, {}, clock));
  TRY(ledger->append_documents({incarnation_draft(author, detail_of(backup))}));
  RestoreReport report;
  TRY(report.incarnation, incarnation_of(ledger->documents()));
  TRY(ledger->close());
  report.head = ledger->status().head;
  return report;
}

}  // namespace

Result<void> verify_backup(const std::filesystem::path& from, const Backup& backup,
                           const BackupProgress& progress) {
  return read_backup(from, backup, progress,
                     [](const Block&, const JournalRecord&) -> Result<void> { return success(); });
}

Result<RestoreReport> restore(const std::filesystem::path& from, const Backup& backup,
                              const std::filesystem::path& data, const std::string& author,
                              const Clock& clock, const BackupProgress& progress) {
  auto target = std::filesystem::absolute(data).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  std::error_code error;
  if (std::filesystem::exists(target, error) && !std::filesystem::is_empty(target, error))
    return Error{ErrorCode::refused,
                 target.string() + " is not empty; a backup is restored into a new directory"};
  // Beside the target, and named when it is whole: half a ledger never lies where one is expected.
  auto partial = target;
  partial += ".restoring";
  std::filesystem::remove_all(partial, error);
  std::filesystem::create_directories(partial, error);
  if (error) return invalid_argument("cannot make " + partial.string() + ": " + error.message());
  TRY(replay_into(from, backup, partial, progress));
  TRY(const auto report, begin_incarnation(partial, backup, author, clock));
  TRY(Disk::machine().sync_directory(partial));
  crash_point("before_naming");
  std::filesystem::rename(partial, target, error);
  if (error) return io_error("naming " + target.string() + ": " + error.message());
  TRY(Disk::machine().sync_directory(target.parent_path()));
  return report;
}

}  // namespace gauger::ledger
