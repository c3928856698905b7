#include "ledger/verify.h"

#include <algorithm>
#include <map>

#include "ledger/anchor.h"
#include "ledger/recover.h"
#include "ledger/rocks_store.h"
#include "ledger/rollup_codec.h"

namespace gauger::ledger {
namespace {

constexpr size_t findings_max = 100;

// Two multisets of cells are compared by a sum of products: linear, so that cells may be split
// and merged at will, and keyed by place and meter, so that two wrongs do not make a right. Kept
// per day, so that a difference has a date.
class RollupSum {
 public:
  explicit RollupSum(std::chrono::minutes grain) : grain_(grain) {}

  void add(const Change& change) {
    for (const auto& cell : change.cells) {
      auto& sum = day_of(cell.place);
      sum += weight(cell.place, 0) * static_cast<uint64_t>(cell.requests);
      for (size_t i = 0; i < meter_count; ++i)
        if (cell.counts[i] != 0)
          sum += weight(cell.place, i + 1) * static_cast<uint64_t>(cell.counts[i]);
    }
    for (const auto& extra : change.extras)
      day_of(extra.place) +=
          weight(extra.place, uint64_t{extra.name.value} << 8) * static_cast<uint64_t>(extra.count);
  }

  // The days on which the two differ, each in a sentence.
  void compare(const RollupSum& other, std::vector<std::string>& findings) const {
    for (const auto& [day, sum] : days_) {
      const auto found = other.days_.find(day);
      const auto theirs = found == other.days_.end() ? 0 : found->second;
      if (sum != theirs)
        findings.push_back("the rollups of " + format_day(day) +
                           " (UTC) are not the fold of the journal; run `gauger rebuild`");
    }
    for (const auto& [day, sum] : other.days_)
      if (sum != 0 && !days_.contains(day))
        findings.push_back("the rollups hold " + format_day(day) +
                           " (UTC), of which the journal knows nothing");
  }

 private:
  static uint64_t weight(Place place, uint64_t meter) {
    const uint64_t pair[] = {place, meter};
    return hash64({reinterpret_cast<const char*>(pair), sizeof pair}) | 1;
  }
  uint64_t& day_of(Place place) {
    return days_[static_cast<int32_t>(period_of(place) * grain_ / std::chrono::days{1})];
  }

  std::chrono::minutes grain_;
  std::map<int32_t, uint64_t> days_;
};

class Verification {
 public:
  Verification(RocksStore& store, const Head& durable, State& state)
      : store_(store),
        durable_(durable),
        state_(state),
        history_(store, 0),
        identities_of_journal_(history_.identities()),
        folded_(state.config.grain),
        stored_(state.config.grain) {}

  Result<VerifyReport> run(const std::function<void(uint64_t, uint64_t)>& progress) {
    report_.head = durable_;
    TRY(read_rollups());
    TRY(scan_journal(store_, {0, 0}, durable_.sequence, Columns::all,
                     [&](const Block& block, std::string_view bytes) -> Result<void> {
                       TRY(visit(block, bytes));
                       progress(block.sequence, durable_.sequence);
                       return success();
                     }));
    compare_head();
    compare_positions();
    TRY(count_documents());
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

  Result<void> visit(const Block& block, std::string_view bytes) {
    check_chain(block, bytes);
    check_dictionary(block);
    TRY(check_identities(block));
    TRY(check_documents(block));
    add_up(block);
    move_positions(block);
    if (block.sequence <= report_.rollups_through) folded_.add(fold(block, state_.config.grain));
    ++report_.blocks;
    return success();
  }

  void check_chain(const Block& block, std::string_view bytes) {
    if (block.sequence != seen_.sequence + 1)
      find(name(block) + " follows block " + std::to_string(seen_.sequence));
    if (block.first_row != seen_.next_row) find(name(block) + " begins at a wrong row");
    if (block.previous_hash != seen_.hash) find(name(block) + " does not chain to the one before");
    if (block.block_time < seen_.block_time) find(name(block) + " goes back in time");
    seen_.sequence = block.sequence;
    seen_.next_row = block.first_row + block.records();
    seen_.hash = sha256(bytes);
    seen_.block_time = block.block_time;
  }

  void check_dictionary(const Block& block) {
    const auto& dictionary = state_.dictionary;
    if (block.first_string != seen_.strings || block.first_key != seen_.keys)
      find(name(block) + " misses dictionary entries");
    seen_.strings = block.first_string + static_cast<uint32_t>(block.strings.size());
    seen_.keys = block.first_key + static_cast<uint32_t>(block.keys.size());
    if (seen_.strings > dictionary.strings.size() || seen_.keys > dictionary.keys.size()) {
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
      if (events.key[i] >= seen_.keys) find(name(block) + " uses a key that it does not define");
      const auto& segment = block.segment_of(events.row[i]);
      const auto print = fingerprint(state_.config.identity_key, segment.name_space,
                                     events.source[i], events.id[i]);
      std::vector<uint64_t> rows;
      identities_.find(print, [&](uint64_t row) {
        rows.push_back(row);
        return false;
      });
      for (const auto row : rows) {
        TRY(const auto known, identities_of_journal_.at(row));
        if (known && is_identity(*known, segment.name_space, events.source[i], events.id[i]))
          find("'" + std::string(events.id[i]) + "' was accepted twice, the second time in " +
               name(block));
      }
      identities_.insert(print, block.first_row + events.row[i]);
    }
    return success();
  }

  Result<void> check_documents(const Block& block) {
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
      TRY(const auto entry,
          store_.get(Family::documents, document_key(version.key, version.version)));
      if (!entry || *entry != encode(version)) find("the entry of " + name + " is not its block's");
    }
    return success();
  }

  Result<void> count_documents() {
    uint64_t entries = 0;
    TRY(store_.scan(Family::documents, {}, {},
                    [&](std::string_view, std::string_view value) -> Result<bool> {
                      TRY(const auto version, decode_document_version(value));
                      if (version.known_from <= durable_.sequence) ++entries;
                      return true;
                    }));
    if (entries != report_.documents) find("there are entries of documents that no block holds");
    return success();
  }

  void add_up(const Block& block) {
    for (const auto disposition : block.dispositions)
      ++seen_.records[static_cast<size_t>(disposition)];
    for (size_t i = 0; i < block.events.size(); ++i) {
      const auto counts = block.events.counts_of(i);
      for (size_t meter = 0; meter < meter_count; ++meter) seen_.totals[meter] += counts[meter];
    }
  }

  void move_positions(const Block& block) {
    for (const auto& segment : block.segments) {
      if (!keeps_position(segment.source)) continue;
      auto [found, fresh] = positions_.try_emplace(position_key(segment.source, segment.partition));
      auto& position = found->second;
      if (!fresh && segment.begin_offset != position.next_offset)
        find(name(block) + " reads " + segment.source + "/" + std::to_string(segment.partition) +
             " from offset " + std::to_string(segment.begin_offset) +
             ", but the one before ended at " + std::to_string(position.next_offset));
      position.next_offset = segment.end_offset;
      position.gaps += segment.gaps;
      if (segment.complete_at) position.complete_at = segment.complete_at;
      position.sequence = block.sequence;
      report_.gaps += segment.gaps;
    }
  }

  void compare_head() {
    if (seen_ != durable_)
      find("the head of block " + std::to_string(durable_.sequence) +
           " is not the fold of the journal");
  }

  void compare_positions() {
    report_.partitions = positions_.size();
    for (const auto& [key, position] : state_.positions) {
      if (position.sequence > durable_.sequence) continue;  // moved on while we read
      const auto found = positions_.find(key);
      if (found == positions_.end() || found->second.next_offset != position.next_offset ||
          found->second.gaps != position.gaps || found->second.complete_at != position.complete_at)
        find("the position of " + position.source + "/" + std::to_string(position.partition) +
             " is not the fold of the journal");
    }
  }

  RocksStore& store_;
  const Head durable_;
  State& state_;
  History history_;
  History::Identities identities_of_journal_;
  RollupSum folded_;
  RollupSum stored_;
  Head seen_;
  IdentityIndex identities_;
  std::unordered_map<std::string, Position> positions_;
  std::map<DocumentKey, std::pair<uint32_t, Digest>> documents_;  // the last version of each
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify(const std::filesystem::path& directory,
                            const std::function<void(uint64_t, uint64_t)>& progress) {
  std::error_code error;
  if (!std::filesystem::exists(directory / "store" / "CURRENT", error))
    return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  TRY(const auto anchor, Anchor::read(directory / "anchor"));
  TRY(auto store, RocksStore::open_reader(directory / "store"));
  TRY(store->verify_checksums());
  TRY(const auto config, read_config(*store));
  if (!config) return Error{ErrorCode::not_found, "there is no ledger in " + directory.string()};
  TRY(const auto head, read_head(*store));
  const auto durable = anchor.value_or(Head{});
  TRY(check_anchor(*store, head, durable));
  State state;
  state.config = *config;
  TRY(load_state(*store, durable, state));
  return Verification(*store, durable, state).run(progress);
}

}  // namespace gauger::ledger
