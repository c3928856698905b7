#include "ledger/backup/retention.h"

#include <algorithm>

#include "ledger/backup/journal_file.h"
#include "ledger/backup/rollup_retention.h"
#include "ledger/crash_point.h"
#include "ledger/cut.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "ledger/projections.h"
#include "ledger/recover.h"
#include "ledger/replay.h"
#include "ledger/rocks_store.h"
#include "ledger/rollup_sum.h"

namespace gauger::ledger {
namespace {

using Progress = std::function<void(uint64_t, uint64_t)>;

// The last block of which the packed rollups know.
Result<uint64_t> packed_through(RocksStore& store, const State& state) {
  Projections projections(store, state.config, state.dictionary);
  TRY(const auto next, projections.load(state.head.sequence));
  return next.sequence - 1;
}

// The last block that may go: before that time, packed in the rollups, and not the last of all.
Result<uint64_t> last_to_cut(const RocksStore& store, const State& state, uint64_t packed,
                             const Head& cut, Instant before) {
  packed = std::min(packed, state.head.sequence - 1);
  auto last = cut.sequence;
  TRY(scan_journal(store, {cut.next_row, cut.sequence + 1}, packed, Columns::documents,
                   [&](const Block& block, std::string_view) -> Result<void> {
                     if (block.block_time < before && last + 1 == block.sequence)
                       last = block.sequence;
                     return success();
                   }));
  return last;
}

// Archives what the archive lacks, and folds all of it into the cut's baselines.
class Archiving {
 public:
  Archiving(RocksStore& store, const State& state, const std::filesystem::path& archive,
            const Progress& progress)
      : store_(store),
        state_(state),
        archive_(archive),
        progress_(progress),
        records_(store),
        writer_(state.config) {}

  Result<void> run(Cut& cut, uint64_t last, RetentionReport& report) {
    TRY(auto files, list_journal_files(archive_));
    TRY(check_archive(files, cut.head));
    archived_through_ = files.empty() ? 0 : files.back().last_sequence;
    const auto first = cut.head.sequence + 1;
    AcceptedIdentities identities(state_.config, store_);
    Replay replay(state_.config, state_.dictionary, identities, cut.beside);
    TRY(replay.resume(cut.head));
    TRY(identities.add_rows(cut.head.next_row));
    RollupSum folded(WholeDays(state_.config, cut.fine_from), std::move(cut.days));
    TRY(scan_journal(store_, {cut.head.next_row, first}, last, Columns::all,
                     [&](const Block& block, std::string_view bytes) -> Result<void> {
                       if (block.previous_hash != replay.head().hash)
                         return corruption("journal block " + std::to_string(block.sequence) +
                                           " does not chain to the one before");
                       TRY(replay.add(block, bytes));
                       identities.add(block);
                       folded.add(fold(block, state_.config.grain));
                       TRY(archive(block, bytes, report));
                       progress_(block.sequence + 1 - first, last + 1 - first);
                       return success();
                     }));
    TRY(write_file_of(report));
    cut.head = replay.head();
    cut.days = folded.days();
    return success();
  }

 private:
  Result<void> check_archive(const std::vector<JournalFile>& files, const Head& cut) const {
    const auto refused = [&](const std::string& how) {
      return Error{ErrorCode::refused, "the archive " + archive_.string() + " " + how};
    };
    if (files.empty())
      return cut.sequence == 0
                 ? Result<void>(success())
                 : refused("is empty, and the ledger's journal was cut into another one before");
    if (files.back().last_sequence < cut.sequence || files.front().first_sequence != 1)
      return refused("lacks blocks that were cut before");
    TRY(const auto opened, open_journal_file(files.back().path));
    if (opened.second.identity_key != state_.config.identity_key)
      return refused("is of another ledger");
    return success();
  }

  Result<void> archive(const Block& block, std::string_view bytes, RetentionReport& report) {
    if (block.sequence <= archived_through_) return success();
    TRY(const auto record, records_.read(block, bytes));
    writer_.add(block, record);
    ++report.archived;
    return writer_.full() ? write_file_of(report) : Result<void>(success());
  }

  Result<void> write_file_of(RetentionReport& report) {
    if (writer_.empty()) return success();
    TRY(const auto file, writer_.write(archive_));
    report.bytes += file.bytes;
    // Read back before anything is removed.
    TRY(read_journal_file(
        file.path, state_.config,
        [](const Block&, const JournalRecord&) -> Result<void> { return success(); }));
    return success();
  }

  RocksStore& store_;
  const State& state_;
  const std::filesystem::path& archive_;
  const Progress& progress_;
  JournalRecordReader records_;
  JournalFileWriter writer_;
  uint64_t archived_through_ = 0;
};

// In the chain before anything goes: what was cut, and the baselines by their hash.
Result<void> post_cut(const std::filesystem::path& data, const Cut& cut, const std::string& record,
                      const std::string& author, const Clock& clock) {
  TRY(const auto ledger, Ledger::open(data, {}, clock));
  DocumentDraft draft;
  draft.key = {"default", "journal_cut", "ledger"};
  draft.author = author;
  draft.content = "{\"sequence\": " + std::to_string(cut.head.sequence) + ", \"head\": \"" +
                  to_hex(cut.head.hash) + "\", \"fine_from\": \"" + format_instant(cut.fine_from) +
                  "\", \"baseline\": \"" + to_hex(sha256(record)) + "\"}";
  TRY(ledger->append_documents({std::move(draft)}));
  return ledger->close();
}

// Every block without documents up to the cut.
Result<uint64_t> remove_blocks(RocksStore& store, const Head& cut) {
  constexpr size_t batch_max = 1000;
  uint64_t removed = 0;
  WriteSet writes;
  const auto flush = [&]() -> Result<void> {
    removed += writes.writes.size();
    TRY(store.write(writes));
    writes.writes.clear();
    crash_point("blocks_removed");
    return success();
  };
  TRY(store.scan(Family::journal, {}, encode(BlockKey{cut.next_row, cut.sequence + 1}),
                 [&](std::string_view key, std::string_view value) -> Result<bool> {
                   TRY(const auto block, decode_block(value, Columns::documents));
                   if (block.sequence > cut.sequence || !block.documents.empty()) return true;
                   writes.remove(Family::journal, std::string(key));
                   if (writes.writes.size() >= batch_max) {
                     TRY(flush());
                   }
                   return true;
                 }));
  TRY(flush());
  TRY(store.sync());
  TRY(store.compact(Family::journal));
  return removed;
}

// A cut that is to be in force, and its stored form; the form is empty where it is already.
struct Decided {
  Cut cut;
  std::string record;
};

// Archives what is to go; changes nothing of the ledger.
Result<Decided> decide(const std::filesystem::path& data, const RetentionOptions& options,
                       const Progress& progress, RetentionReport& report) {
  TRY(const auto lock, DirectoryLock::take(data / "lock"));
  TRY(const auto store, RocksStore::open(data / "store", {}));
  State state;
  TRY(const auto config, read_config(*store));
  if (!config) return Error{ErrorCode::not_found, "there is no ledger in " + data.string()};
  state.config = *config;
  TRY(state.head, read_head(*store));
  TRY(load_dictionary(*store, state.head, state.dictionary));
  TRY(auto known, read_cut(*store));
  Decided decided;
  auto& cut = decided.cut;
  if (known) cut = std::move(*known);
  TRY(const auto packed, packed_through(*store, state));
  TRY(const auto last, last_to_cut(*store, state, packed, cut.head, options.before));
  report.blocks = last - cut.head.sequence;
  if (report.blocks != 0) {
    TRY(Archiving(*store, state, options.archive, progress).run(cut, last, report));
  }
  auto fine_from = cut.fine_from;
  if (options.fine_rollups_before) {
    TRY(fine_from, fine_from_after(*store, state.config, cut, *options.fine_rollups_before));
  }
  const bool moves = fine_from != cut.fine_from;
  if (moves) {
    TRY(move_fine_from(*store, state.config, fine_from, packed, cut));
  }
  if (report.blocks != 0 || moves) {
    TRY(decided.record, encode(cut));
  }
  return decided;
}

Result<RetentionReport> cut_journal(const std::filesystem::path& data,
                                    const RetentionOptions& options, const Clock& clock,
                                    const RetentionProgress& progress) {
  RetentionReport report;
  TRY(const auto decided, decide(data, options, progress.blocks, report));
  const auto& [cut, record] = decided;
  if (cut.head.sequence == 0) return report;
  if (!record.empty()) {
    TRY(post_cut(data, cut, record, options.author, clock));
    crash_point("before_cut");
  }
  TRY(const auto lock, DirectoryLock::take(data / "lock"));
  TRY(const auto store, RocksStore::open(data / "store", {}));
  if (!record.empty()) {
    WriteSet writes;
    writes.put(Family::meta, std::string(cut_key), record);
    TRY(store->write(writes));
    TRY(store->sync());
    crash_point("after_cut");
  }
  TRY(report.removed, remove_blocks(*store, cut.head));
  TRY(const auto config, read_config(*store));
  TRY(report.days, gather_days(*store, *config, cut.fine_from, progress.days));
  report.cut = cut.head;
  report.fine_from = cut.fine_from;
  return report;
}

}  // namespace

Result<RetentionReport> retain(const std::filesystem::path& data, const RetentionOptions& options,
                               const Clock& clock, const RetentionProgress& progress) {
  std::error_code error;
  if (!std::filesystem::exists(data / "store" / "CURRENT", error))
    return Error{ErrorCode::not_found, "there is no ledger in " + data.string()};
  // Opened and closed in order, it has packed its rollups.
  {
    TRY(const auto ledger, Ledger::open(data, {}, clock));
    TRY(ledger->close());
  }
  const auto& archive = options.archive;
  std::filesystem::create_directories(archive, error);
  if (error) return invalid_argument("cannot make " + archive.string() + ": " + error.message());
  TRY(const auto lock, DirectoryLock::take(archive / "lock"));
  return cut_journal(data, options, clock, progress);
}

}  // namespace gauger::ledger
