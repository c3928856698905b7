#include "ledger/rebuild.h"

#include "ledger/anchor.h"
#include "ledger/backup/journal_file.h"
#include "ledger/crash_point.h"
#include "ledger/cut.h"
#include "ledger/lock.h"
#include "ledger/memory_store.h"
#include "ledger/recover.h"
#include "ledger/replay.h"
#include "ledger/rocks_store.h"
#include "ledger/rollup_codec.h"
#include "ledger/rollup_sum.h"

namespace gauger::ledger {
namespace {

constexpr size_t differences_max = 1'000'000;
constexpr size_t findings_max = 100;
constexpr std::string_view after_all_keys = "\xff";

class Rebuilding {
 public:
  using Told = std::function<void(uint64_t, uint64_t)>;
  Rebuilding(RocksStore& store, State& state, const Told& progress)
      : store_(store), state_(state), progress_(progress) {}

  Result<RebuildReport> run(const RebuildOptions& options) {
    report_.head = state_.head;
    TRY(cut_, read_cut_head(store_));
    archive_ = options.archive;
    if (cut_.sequence != 0 && archive_.empty())
      return Error{ErrorCode::refused, "the journal up to block " + std::to_string(cut_.sequence) +
                                           " was archived; say where with --archive"};
    auto config = state_.config;
    if (options.grain) config.grain = *options.grain;
    if (options.time_zone) config.time_zone = *options.time_zone;
    TRY(check(config));
    TRY(check_days(config));
    TRY(check_grain(config));
    report_.reconfigured = config != state_.config;
    TRY(replay());
    TRY(replace_rollups(config));
    return std::move(report_);
  }

 private:
  void find(std::string sentence) {
    if (report_.findings.size() < findings_max) report_.findings.push_back(std::move(sentence));
  }

  // The whole journal: what was archived first.
  Result<void> scan_all(Columns columns, const VisitBlock& visit) const {
    uint64_t sequence = 0;
    if (cut_.sequence != 0) {
      TRY(const auto files, list_journal_files(archive_));
      for (const auto& file : files) {
        if (sequence >= cut_.sequence) break;
        TRY(read_journal_file(file.path, state_.config,
                              [&](const Block& block, const JournalRecord& record) -> Result<void> {
                                if (block.sequence > cut_.sequence) return success();
                                sequence = block.sequence;
                                if (sequence == cut_.sequence && sha256(record.block) != cut_.hash)
                                  return corruption("the archive holds another block " +
                                                    std::to_string(sequence));
                                return visit(block, record.block);
                              }));
      }
      if (sequence != cut_.sequence)
        return Error{ErrorCode::refused, archive_.string() + " ends at block " +
                                             std::to_string(sequence) + ", before the cut at " +
                                             std::to_string(cut_.sequence)};
    }
    return scan_journal(store_, {cut_.next_row, cut_.sequence + 1}, state_.head.sequence, columns,
                        visit);
  }

  // Where days are kept whole, they are those of one zone.
  Result<void> check_days(const LedgerConfig& config) const {
    TRY(const auto whole_days, read_whole_days(store_, state_.config));
    if (config.time_zone == state_.config.time_zone || !whole_days.any()) return success();
    return Error{ErrorCode::refused, "usage of before " + format_instant(whole_days.fine_from()) +
                                         " is kept by whole days of " + state_.config.time_zone +
                                         ", so this ledger keeps its time zone"};
  }

  // What reservations moved between periods is kept by period.
  Result<void> check_grain(const LedgerConfig& config) const {
    if (config.grain == state_.config.grain) return success();
    if (cut_.sequence != 0)
      return Error{ErrorCode::refused, "a journal that was cut keeps its grain"};
    bool any = false;
    TRY(store_.scan(Family::reservations, {}, {},
                    [&](std::string_view, std::string_view) -> Result<bool> {
                      any = true;
                      return false;
                    }));
    if (any)
      return Error{ErrorCode::refused,
                   "this ledger keeps reservations, whose balances hang on its grain of " +
                       std::to_string(state_.config.grain.count()) + " minutes"};
    return success();
  }

  // First pass: the records beside the journal are compared and mended, rollups summed up.
  Result<void> replay() {
    MemoryStore replayed;
    AcceptedIdentities identities(state_.config, store_);
    Replay replay(state_.config, state_.dictionary, identities, replayed);
    TRY(const auto whole_days, read_whole_days(store_, state_.config));
    RollupSum folded(whole_days);
    TRY(const auto rollups_through, watermark());
    Digest previous{};
    TRY(scan_all(Columns::all, [&](const Block& block, std::string_view bytes) -> Result<void> {
      if (block.sequence != report_.blocks + 1 || block.previous_hash != previous)
        return corruption("journal block " + std::to_string(block.sequence) +
                          " does not chain to the one before; restore a backup");
      previous = sha256(bytes);
      TRY(replay.add(block, bytes));
      identities.add(block);
      if (block.sequence <= rollups_through) folded.add(fold(block, state_.config.grain));
      ++report_.blocks;
      progress_(report_.blocks, 2 * state_.head.sequence);
      return success();
    }));
    TRY(compare_rollups(folded, whole_days));
    TRY(const auto differences, compare_replay(store_, replayed, state_.config.grain,
                                               state_.head.block_time, differences_max));
    WriteSet writes;
    for (const auto& difference : differences) {
      find(difference.sentence);
      writes.writes.push_back({difference.family, difference.key, difference.replayed});
    }
    if (replay.head() != state_.head) {
      find("the ledger's head is not the fold of the journal");
      writes.put(Family::meta, std::string(head_key), encode(replay.head()));
      report_.head = replay.head();
    }
    TRY(store_.write(writes));
    return store_.sync();
  }

  // Rollups that cannot be read count as a difference: they are about to be made anew.
  Result<uint64_t> watermark() {
    Projections projections(store_, state_.config, state_.dictionary);
    const auto next = projections.load(state_.head.sequence);
    if (next) return next.value().sequence - 1;
    find(next.error().sentence);
    return uint64_t{0};
  }

  Result<void> compare_rollups(const RollupSum& folded, const WholeDays& whole_days) {
    RollupSum stored(whole_days);
    const auto read = store_.scan(Family::rollups, "F", "G",
                                  [&](std::string_view, std::string_view value) -> Result<bool> {
                                    TRY(const auto change, decode_rollup(value));
                                    stored.add(change);
                                    return true;
                                  });
    if (!read)
      find(read.error().sentence);
    else
      folded.compare(stored, report_.findings);
    return success();
  }

  // Second pass. The old rollups go first, durably; the configuration that the new ones are made
  // with comes between.
  Result<void> replace_rollups(const LedgerConfig& config) {
    TRY(store_.remove_range(Family::rollups, {}, after_all_keys));
    TRY(store_.remove_range(Family::identity_runs, {}, after_all_keys));
    TRY(store_.flush());
    crash_point("rollups_removed");
    if (report_.reconfigured) {
      WriteSet writes;
      writes.put(Family::meta, std::string(config_key), encode(config));
      TRY(store_.write(writes));
      TRY(store_.sync());
    }
    Projections projections(store_, config, state_.dictionary);
    TRY(projections.load(0));
    TRY(scan_all(Columns::fold, [&](const Block& block, std::string_view) -> Result<void> {
      projections.publish(fold(block, config.grain),
                          {block.first_row + block.records(), block.sequence + 1});
      progress_(report_.blocks + block.sequence, 2 * state_.head.sequence);
      return projections.flush(false);
    }));
    return projections.flush(true);
  }

  RocksStore& store_;
  State& state_;
  const Told& progress_;
  Head cut_;
  std::filesystem::path archive_;
  RebuildReport report_;
};

}  // namespace

Result<RebuildReport> rebuild(const std::filesystem::path& directory, const RebuildOptions& options,
                              const std::function<void(uint64_t, uint64_t)>& progress) {
  const auto none = [&] {
    return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  };
  std::error_code error;
  if (!std::filesystem::exists(directory / "store" / "CURRENT", error)) return none();
  TRY(const auto lock, DirectoryLock::take(directory / "lock"));
  TRY(const auto store, open_store(directory, Disk::machine()));
  TRY(const auto config, read_config(*store));
  if (!config) return none();
  State state;
  state.config = *config;
  TRY(const auto head, read_head(*store));
  TRY(const auto anchor, Anchor::read(directory / "anchor"));
  TRY(check_anchor(*store, head, anchor.value_or(Head{})));
  state.head = head;
  TRY(load_dictionary(*store, head, state.dictionary));
  return Rebuilding(*store, state, progress).run(options);
}

}  // namespace gauger::ledger
