#include "ledger/backup/backup.h"

#include <algorithm>

#include "ledger/anchor.h"
#include "ledger/backup/manifest.h"
#include "ledger/crash_point.h"
#include "ledger/cut.h"
#include "ledger/lock.h"
#include "ledger/projections.h"
#include "ledger/recover.h"
#include "ledger/rocks_store.h"

namespace gauger::ledger {
namespace {

std::string manifest_name(uint32_t number) {
  const auto digits = std::to_string(number);
  return "backup-" + std::string(10 - digits.size(), '0') + digits + ".manifest";
}

// What is durable of a ledger, beside its writer.
struct Source {
  std::unique_ptr<RocksStore> store;
  LedgerConfig config;
  Head head;
};

Result<Source> open_source(const std::filesystem::path& data, Disk& disk) {
  const auto none = [&] {
    return Error{ErrorCode::not_found, "there is no ledger in " + data.string()};
  };
  if (!disk.exists(data / "store" / "CURRENT")) return none();
  // The anchor first: what it names is in the store that is opened after it.
  TRY(const auto anchor, Anchor::read(data / "anchor", disk));
  Source source;
  TRY(source.store, RocksStore::open_reader(data / "store", disk));
  TRY(const auto config, read_config(*source.store));
  if (!config) return none();
  source.config = *config;
  source.head = anchor.value_or(Head{});
  TRY(const auto head, read_head(*source.store));
  TRY(check_anchor(*source.store, head, source.head));
  if (source.head.sequence == 0)
    return Error{ErrorCode::refused, "the ledger in " + data.string() + " is empty as yet"};
  return source;
}

class BackingUp {
 public:
  BackingUp(const Source& source, const std::filesystem::path& to, const BackupProgress& progress)
      : source_(source),
        to_(to),
        progress_(progress),
        records_(*source.store),
        writer_(source.config) {}

  Result<BackupReport> run(const std::filesystem::path& archive, Instant now) {
    TRY(remove_partial_files());
    TRY(files_, list_journal_files(to_));
    if (!archive.empty()) {
      TRY(copy_archive(archive));
    }
    TRY(check_belongs());
    TRY(copy_blocks());
    return write_manifest(now);
  }

 private:
  uint64_t last_sequence() const { return files_.empty() ? 0 : files_.back().last_sequence; }

  Result<void> remove_partial_files() {
    std::error_code error;
    std::vector<std::filesystem::path> partial;
    for (const auto& entry : std::filesystem::directory_iterator(to_, error))
      if (entry.path().extension() == ".partial") partial.push_back(entry.path());
    for (const auto& path : partial) std::filesystem::remove(path, error);
    if (error) return io_error("clearing " + to_.string() + ": " + error.message());
    return success();
  }

  Result<void> copy_archive(const std::filesystem::path& archive) {
    TRY(const auto archived, list_journal_files(archive));
    for (const auto& file : archived) {
      if (file.last_sequence <= last_sequence()) continue;
      if (file.first_sequence <= last_sequence()) {
        TRY(copy_rest(file));
        continue;
      }
      TRY(const auto bytes, read_file(file.path));
      TRY(write_file(to_ / file.path.filename(), bytes));
      report_.bytes += bytes.size();
      TRY(files_, list_journal_files(to_));
    }
    return success();
  }

  // Of an archived file whose first blocks are in the backup.
  Result<void> copy_rest(const JournalFile& file) {
    const auto& last = files_.back();
    TRY(read_journal_file(file.path, source_.config,
                          [&](const Block& block, const JournalRecord& record) -> Result<void> {
                            if (block.sequence <= last.last_sequence) return success();
                            if (block.sequence == last.last_sequence + 1 &&
                                block.previous_hash != last.hash)
                              return refused("another incarnation of this ledger");
                            writer_.add(block, record);
                            return success();
                          }));
    return write_journal_file();
  }

  Error refused(const char* why) const {
    return {ErrorCode::refused,
            to_.string() + " holds backups of " + why + "; give this one a directory of its own"};
  }

  // The last block of the backup must be the ledger's.
  Result<void> check_belongs() const {
    if (files_.empty()) return success();
    const auto& last = files_.back();
    TRY(const auto opened, open_journal_file(last.path));
    if (opened.second.identity_key != source_.config.identity_key) return refused("another ledger");
    if (last.last_sequence > source_.head.sequence)
      return refused("another incarnation of this ledger, which went further");
    // What was cut is no longer there to be compared with; what is missing is told below.
    TRY(const auto cut, read_cut_head(*source_.store));
    if (last.last_sequence < cut.sequence || last.hash == cut.hash) return success();
    TRY(const auto entry,
        source_.store->at_or_before(Family::journal,
                                    encode(BlockKey{last.next_row, last.last_sequence})));
    if (!entry || sha256(entry->value) != last.hash)
      return refused("another incarnation of this ledger");
    return success();
  }

  Result<void> copy_blocks() {
    const auto first = last_sequence() + 1;
    TRY(const auto cut, read_cut_head(*source_.store));
    if (first <= cut.sequence) return missing(first, cut.sequence + 1);
    auto expected = first;
    auto previous = files_.empty() ? Digest{} : files_.back().hash;
    const BlockKey from{files_.empty() ? 0 : files_.back().next_row, first};
    TRY(scan_journal(*source_.store, from, source_.head.sequence, Columns::all,
                     [&](const Block& block, std::string_view bytes) -> Result<void> {
                       if (block.sequence != expected) return missing(expected, block.sequence);
                       if (block.previous_hash != previous)
                         return corruption("journal block " + std::to_string(block.sequence) +
                                           " does not chain to the one before");
                       TRY(const auto record, records_.read(block, bytes));
                       writer_.add(block, record);
                       previous = sha256(bytes);
                       ++expected;
                       if (writer_.full()) {
                         TRY(write_journal_file());
                       }
                       progress_(expected - first, source_.head.sequence + 1 - first);
                       return success();
                     }));
    if (expected != source_.head.sequence + 1) return missing(expected, source_.head.sequence + 1);
    report_.blocks = expected - first;
    return writer_.empty() ? Result<void>(success()) : write_journal_file();
  }

  static Error missing(uint64_t expected, uint64_t found) {
    return {ErrorCode::refused, "journal blocks " + std::to_string(expected) + " to " +
                                    std::to_string(found - 1) +
                                    " are not in the ledger; where retention archived them, say "
                                    "so with --archive"};
  }

  Result<void> write_journal_file() {
    TRY(auto file, writer_.write(to_));
    report_.bytes += file.bytes;
    files_.push_back(std::move(file));
    return success();
  }

  Result<BackupReport> write_manifest(Instant now) {
    TRY(const auto before, list_backups(to_));
    if (!before.empty() && before.back().head == source_.head) {
      report_.backup = before.back();
      report_.unchanged = true;
      return std::move(report_);
    }
    auto& backup = report_.backup;
    backup.number = before.empty() ? 1 : before.back().number + 1;
    backup.made_at = now;
    backup.config = source_.config;
    backup.head = source_.head;
    for (const auto& file : files_)
      backup.files.push_back({file.path.filename().string(), file.content});
    const auto text = manifest_text(backup);
    crash_point("before_manifest");
    report_.bytes += text.size();
    TRY(write_file(to_ / manifest_name(backup.number), text));
    return std::move(report_);
  }

  const Source& source_;
  const std::filesystem::path& to_;
  const BackupProgress& progress_;
  JournalRecordReader records_;
  JournalFileWriter writer_;
  std::vector<JournalFile> files_;
  BackupReport report_;
};

}  // namespace

Result<BackupReport> back_up(const std::filesystem::path& data, const std::filesystem::path& to,
                             const std::filesystem::path& archive, const Clock& clock,
                             const BackupProgress& progress, Disk& disk) {
  std::error_code error;
  // The ledger first: a backup of nothing leaves no directory behind.
  TRY(const auto source, open_source(data, disk));
  std::filesystem::create_directories(to, error);
  if (error) return invalid_argument("cannot make " + to.string() + ": " + error.message());
  TRY(const auto lock, DirectoryLock::take(to / "lock"));
  return BackingUp(source, to, progress).run(archive, clock.now());
}

Result<std::vector<Backup>> list_backups(const std::filesystem::path& from) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(from, error))
    if (entry.path().extension() == ".manifest") paths.push_back(entry.path());
  if (error)
    return Error{ErrorCode::not_found,
                 "there are no backups in " + from.string() + ": " + error.message()};
  std::sort(paths.begin(), paths.end());
  std::vector<Backup> backups;
  for (const auto& path : paths) {
    TRY(const auto text, read_file(path));
    TRY(auto backup, parse_manifest(text, path.string()));
    if (path.filename() != manifest_name(backup.number))
      return corruption(path.string() + " has another one's name");
    backups.push_back(std::move(backup));
  }
  return backups;
}

Result<Backup> find_backup(const std::filesystem::path& from, uint32_t number) {
  TRY(auto backups, list_backups(from));
  if (backups.empty())
    return Error{ErrorCode::not_found, "there are no backups in " + from.string()};
  if (number == 0) return std::move(backups.back());
  for (auto& backup : backups)
    if (backup.number == number) return std::move(backup);
  return Error{ErrorCode::not_found, "there is no backup " + std::to_string(number) + " in " +
                                         from.string() + "; `gauger backup list` names them"};
}

}  // namespace gauger::ledger
