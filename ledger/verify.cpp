#include "ledger/verify.h"

#include <algorithm>
#include <map>

#include "ledger/anchor.h"
#include "ledger/cut.h"
#include "ledger/memory_store.h"
#include "ledger/recover.h"
#include "ledger/replay.h"
#include "ledger/rocks_store.h"
#include "ledger/rollup_codec.h"
#include "ledger/rollup_sum.h"

namespace gauger::ledger {
namespace {

constexpr size_t findings_max = 100;

class Verification {
 public:
  Verification(RocksStore& store, const Head& durable, State& state)
      : store_(store),
        durable_(durable),
        state_(state),
        identities_(state.config, store),
        replay_(state.config, state.dictionary, identities_, replayed_),
        folded_(WholeDays(state.config, {})),
        stored_(folded_) {}

  Result<VerifyReport> run(const std::function<void(uint64_t, uint64_t)>& progress) {
    report_.head = durable_;
    TRY(begin_at_cut());
    TRY(read_rollups());
    const auto& begin = replay_.head();
    // Blocks that are not yet durable are only replayed: what is stored beside the journal is as
    // far as the store is.
    TRY(scan_journal(store_, {begin.next_row, begin.sequence + 1}, state_.head.sequence,
                     Columns::all, [&](const Block& block, std::string_view bytes) -> Result<void> {
                       if (block.sequence <= durable_.sequence) visit(block);
                       TRY(replay_.add(block, bytes));
                       TRY(check_identities(block));
                       if (block.sequence == durable_.sequence) seen_ = replay_.head();
                       progress(block.sequence, durable_.sequence);
                       return success();
                     }));
    compare_head();
    report_.partitions = replay_.positions().size();
    TRY(const auto differences, compare_replay(store_, replayed_, state_.config.grain,
                                               state_.head.block_time, findings_max));
    for (const auto& difference : differences) find(difference.sentence);
    folded_.compare(stored_, report_.findings);
    return std::move(report_);
  }

 private:
  void find(std::string sentence) {
    if (report_.findings.size() < findings_max) report_.findings.push_back(std::move(sentence));
  }
  static std::string name(const Block& block) {
    return "journal block " + std::to_string(block.sequence);
  }

  // A journal that retention cut begins with what its cut recorded, under a hash in the chain.
  Result<void> begin_at_cut() {
    TRY(const auto record, store_.get(Family::meta, cut_key));
    if (!record) return success();
    TRY(auto cut, decode_cut(*record));
    report_.archived_through = cut.head.sequence;
    seen_ = cut.head;
    report_.fine_from = cut.fine_from;
    const WholeDays whole_days(state_.config, cut.fine_from);
    folded_ = RollupSum(whole_days, std::move(cut.days));
    stored_ = RollupSum(whole_days);
    replayed_ = std::move(cut.beside);
    TRY(replay_.resume(cut.head));
    TRY(identities_.add_rows(cut.head.next_row));
    TRY(check_kept_blocks(cut.head));
    return check_posted(to_hex(sha256(*record)));
  }

  // What was posted last is not in force where retention was killed between the two.
  Result<void> check_posted(const std::string& baseline) {
    const Documents documents(store_, durable_.sequence);
    const DocumentKey key{"default", "journal_cut", "ledger"};
    TRY(auto posted, documents.latest(key));
    if (!posted) {
      find("no document says that the journal was cut");
      return success();
    }
    for (auto version = posted->version; version > 0; --version) {
      TRY(posted, documents.version(key, version));
      if (!posted) break;
      TRY(const auto said, documents.read(*posted));
      if (said.content.find(baseline) != said.content.npos) return success();
    }
    find("the record of the journal's cut is not the one that was posted");
    return success();
  }

  // Blocks with documents stay when those around them go.
  Result<void> check_kept_blocks(const Head& cut) {
    return store_.scan(Family::journal, {}, encode(BlockKey{cut.next_row, cut.sequence + 1}),
                       [&](std::string_view, std::string_view bytes) -> Result<bool> {
                         TRY(const auto block, decode_block(bytes, Columns::documents));
                         if (block.sequence <= cut.sequence) check_documents(block);
                         return true;
                       });
  }

  Result<void> read_rollups() {
    TRY(const auto watermark, store_.get(Family::rollups, "H"));
    if (watermark) {
      TRY(const auto next, decode_block_key(std::string_view(*watermark).substr(0, 16)));
      report_.rollups_through = next.sequence - 1;
    }
    return store_.scan(Family::rollups, "F", "G",
                       [&](std::string_view, std::string_view value) -> Result<bool> {
                         TRY(const auto change, decode_rollup(value));
                         stored_.add(change);
                         ++report_.rollup_segments;
                         return true;
                       });
  }

  void visit(const Block& block) {
    check_chain(block);
    check_dictionary(block);
    check_documents(block);
    check_offsets(block);
    if (block.sequence <= report_.rollups_through) folded_.add(fold(block, state_.config.grain));
    ++report_.blocks;
  }

  void check_chain(const Block& block) {
    const auto& before = replay_.head();
    if (block.sequence != before.sequence + 1)
      find(name(block) + " follows block " + std::to_string(before.sequence));
    if (block.first_row != before.next_row) find(name(block) + " begins at a wrong row");
    if (block.previous_hash != before.hash) find(name(block) + " does not chain to the one before");
    if (block.block_time < before.block_time) find(name(block) + " goes back in time");
  }

  void check_dictionary(const Block& block) {
    const auto& dictionary = state_.dictionary;
    const auto& before = replay_.head();
    if (block.first_string != before.strings || block.first_key != before.keys)
      find(name(block) + " misses dictionary entries");
    if (block.first_string + block.strings.size() > dictionary.strings.size() ||
        block.first_key + block.keys.size() > dictionary.keys.size()) {
      find("the dictionary is behind " + name(block));
      return;
    }
    for (uint32_t i = 0; i < block.strings.size(); ++i)
      if (dictionary.strings.text(StringId{block.first_string + i}) != block.strings[i])
        find("the dictionary differs from " + name(block));
    for (uint32_t i = 0; i < block.keys.size(); ++i)
      if (dictionary.keys.key(block.first_key + i) != block.keys[i])
        find("the dictionary's keys differ from " + name(block));
  }

  Result<void> check_identities(const Block& block) {
    const auto& events = block.events;
    for (uint32_t i = 0; i < events.size(); ++i) {
      if (events.key[i] >= replay_.head().keys)
        find(name(block) + " uses a key that it does not define");
      const auto name_space = block.segment_of(events.row[i]).name_space;
      const auto print = identities_.fingerprint_of(name_space, events.source[i], events.id[i]);
      TRY(const bool twice,
          identities_.contains(print, name_space, events.source[i], events.id[i]));
      if (twice)
        find("'" + std::string(events.id[i]) + "' was accepted twice, the second time in " +
             name(block));
      identities_.add(print, block.first_row + events.row[i]);
    }
    return success();
  }

  void check_documents(const Block& block) {
    for (const auto& [version, content] : block.documents) {
      ++report_.documents;
      const auto name =
          version.key.kind + " '" + version.key.id + "' version " + std::to_string(version.version);
      if (sha256(content) != version.content_hash || hash_of(version) != version.hash)
        find(name + " does not match its hash");
      auto& [number, hash] = documents_[version.key];
      if (version.version != number + 1 || version.previous_hash != hash)
        find(name + " does not chain to the version before");
      number = version.version;
      hash = version.hash;
    }
  }

  void check_offsets(const Block& block) {
    // A partition may come twice in a block.
    std::unordered_map<std::string, int64_t> ended;
    for (const auto& segment : block.segments) {
      if (!keeps_position(segment.source)) continue;
      report_.gaps += segment.gaps;
      const auto key = position_key(segment.source, segment.partition);
      const auto known = replay_.positions().find(key);
      const auto here = ended.find(key);
      const auto before = here != ended.end() ? std::optional(here->second)
                          : known != replay_.positions().end()
                              ? std::optional(known->second.next_offset)
                              : std::nullopt;
      if (before && segment.begin_offset != *before)
        find(name(block) + " reads " + segment.source + "/" + std::to_string(segment.partition) +
             " from offset " + std::to_string(segment.begin_offset) +
             ", but the one before ended at " + std::to_string(*before));
      ended[key] = segment.end_offset;
    }
  }

  void compare_head() {
    if (seen_ != durable_)
      find("the head of block " + std::to_string(durable_.sequence) +
           " is not the fold of the journal");
  }

  RocksStore& store_;
  const Head durable_;
  State& state_;
  AcceptedIdentities identities_;
  MemoryStore replayed_;
  Replay replay_;
  RollupSum folded_;
  RollupSum stored_;
  Head seen_;
  std::map<DocumentKey, std::pair<uint32_t, Digest>> documents_;  // the last version of each
  VerifyReport report_;
};

// The checksums are read from files by name: one that the writer drops meanwhile, when it has
// merged it into another, makes that fail, and it is tried again on what is there then.
Result<std::unique_ptr<RocksStore>> open_verified(const std::filesystem::path& directory,
                                                  Disk& disk) {
  constexpr int tries = 10;
  for (int attempt = 1;; ++attempt) {
    TRY(auto store, RocksStore::open_reader(directory, disk));
    const auto verified = store->verify_checksums();
    if (verified) return store;
    if (attempt == tries || verified.error().code != ErrorCode::io) return verified.error();
  }
}

}  // namespace

Result<VerifyReport> verify(const std::filesystem::path& directory,
                            const std::function<void(uint64_t, uint64_t)>& progress, Disk& disk) {
  if (!disk.exists(directory / "store" / "CURRENT"))
    return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  TRY(const auto anchor, Anchor::read(directory / "anchor", disk));
  TRY(auto store, open_verified(directory / "store", disk));
  TRY(const auto config, read_config(*store));
  if (!config) return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  TRY(const auto head, read_head(*store));
  const auto durable = anchor.value_or(Head{});
  TRY(check_anchor(*store, head, durable));
  State state;
  state.config = *config;
  TRY(load_state(*store, head, state));
  TRY(auto report, Verification(*store, durable, state).run(progress));
  TRY(const bool torn, Anchor::is_damaged(directory / "anchor", disk));
  if (torn)
    report.findings.push_back("one of the two slots of " + (directory / "anchor").string() +
                              " is damaged; the next start of the writer mends it");
  return report;
}

}  // namespace gauger::ledger
