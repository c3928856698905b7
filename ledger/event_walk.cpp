#include "ledger/event_walk.h"

#include <algorithm>
#include <unordered_map>

#include "ledger/block.h"
#include "ledger/bytes.h"
#include "ledger/cut.h"
#include "ledger/projections.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

// The header's place of the block time (block.h).
constexpr size_t block_time_at = 24;

class EventWalk {
 public:
  EventWalk(const Store& store, const Dictionary& dictionary, const Head& head,
            const EventQuery& query, const std::function<Result<bool>(const EventRow&)>& visit)
      : store_(store), dictionary_(dictionary), head_(head), query_(query), visit_(visit) {}

  Result<void> run() {
    TRY(find_adjustments());
    return scan(query_.identities ? Columns::all : Columns::fold,
                [&](const Block& block, std::string_view) { return visit_block(block); });
  }

 private:
  // An event is admitted at most a tolerance before its block's time, so that earlier blocks
  // hold nothing of the interval. What adjusts it comes with it or later.
  Result<void> scan(Columns columns, const VisitBlock& visit) const {
    TRY(const auto from, first_block(to_us(query_.interval.from - limits::future_tolerance)));
    return scan_journal(store_, from, std::min(head_.sequence, query_.as_of_sequence), columns,
                        visit);
  }

  // Block times never go back: the last block before that time is found by halves, over rows.
  Result<BlockKey> first_block(int64_t earliest) const {
    TRY(const auto cut, read_cut_head(store_));
    if (cut.sequence != 0 && earliest <= to_us(cut.block_time))
      return archived_error(cut, "some of what is asked for");
    BlockKey found{cut.next_row, cut.sequence == 0 ? 0 : cut.sequence + 1};
    auto low = cut.next_row;
    uint64_t high = head_.next_row;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      TRY(const auto entry,
          store_.at_or_before(Family::journal, encode(BlockKey{middle, UINT64_MAX})));
      if (!entry) return corruption("no journal block holds row " + std::to_string(middle));
      TRY(const auto key, decode_block_key(entry->key));
      if (time_of(entry->value) < earliest) {
        found = key;
        low = middle + 1;
      } else {
        high = std::min(middle, key.first_row);
      }
    }
    return found;
  }

  static int64_t time_of(std::string_view bytes) {
    if (bytes.size() < block_time_at + sizeof(int64_t)) return INT64_MAX;  // decoding says why
    ByteReader reader(bytes.substr(block_time_at));
    return reader.get<int64_t>();
  }

  Result<void> find_adjustments() {
    // Most ledgers have some; one without any is not read twice.
    bool any = false;
    TRY(store_.scan(Family::amendments, "A", "B",
                    [&](std::string_view, std::string_view) -> Result<bool> {
                      any = true;
                      return false;
                    }));
    if (!any) return success();
    return scan(Columns::fold, [&](const Block& block, std::string_view) -> Result<void> {
      for (const auto& adjustment : block.adjustments)
        key_now_[adjustment.target_row] = adjustment.key_to;
      return success();
    });
  }

  bool wanted(uint32_t key) {
    if (key >= wanted_.size()) wanted_.resize(dictionary_.keys.size());
    auto& known = wanted_[key];
    if (known == 0) known = query_.wanted(dictionary_.keys.key(key)) ? 1 : 2;
    return known == 1;
  }

  Result<void> visit_block(const Block& block) {
    if (stopped_) return success();
    const auto& events = block.events;
    for (size_t i = 0; i < events.size(); ++i) {
      if (events.kind[i] != EventKind::usage) continue;
      const auto completed = instant_from_us(events.completed_us[i]);
      if (!query_.interval.contains(completed)) continue;
      const auto row = block.first_row + events.row[i];
      auto key = events.key[i];
      if (!key_now_.empty()) {
        const auto moved = key_now_.find(row);
        if (moved != key_now_.end()) key = moved->second;
        if (key == Adjustment::no_key) continue;
      }
      if (key >= dictionary_.keys.size())
        return corruption("journal block " + std::to_string(block.sequence) +
                          " names a key that the dictionary does not have");
      if (!wanted(key)) continue;
      TRY(const bool on, visit_(event_row(block, i, row, key, completed)));
      stopped_ = !on;
      if (stopped_) break;
    }
    return success();
  }

  EventRow event_row(const Block& block, size_t event, uint64_t row, uint32_t key,
                     Instant completed) {
    const auto& events = block.events;
    EventRow made{};
    made.row = row;
    made.block = block.sequence;
    made.completed_at = completed;
    made.key_id = key;
    made.key = &dictionary_.keys.key(key);
    made.counts = events.counts_of(event);
    extras_.clear();
    for (const auto& extra : events.extras_of(event)) extras_.push_back({extra.name, extra.count});
    made.extras = extras_;
    if (query_.identities) {
      made.source = events.source[event];
      made.id = events.id[event];
      made.parent_id = events.parent_id[event];
    }
    return made;
  }

  const Store& store_;
  const Dictionary& dictionary_;
  const Head& head_;
  const EventQuery& query_;
  const std::function<Result<bool>(const EventRow&)>& visit_;
  std::unordered_map<uint64_t, uint32_t> key_now_;  // by row
  std::vector<uint8_t> wanted_;                     // by key: 0 not asked, 1 yes, 2 no
  std::vector<ExtraSum> extras_;
  bool stopped_ = false;
};

}  // namespace

Result<void> walk_events(const Store& store, const Dictionary& dictionary, const Head& head,
                         const EventQuery& query,
                         const std::function<Result<bool>(const EventRow&)>& visit) {
  return EventWalk(store, dictionary, head, query, visit).run();
}

}  // namespace gauger::ledger
