#include "ledger/event_walk.h"

#include <unordered_map>

#include "ledger/block.h"
#include "ledger/bytes.h"
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
                [&](const Block& block) { return visit_block(block); });
  }

 private:
  // An event is admitted at most a tolerance before its block's time, so that earlier blocks
  // hold nothing of the interval. What adjusts it comes with it or later.
  Result<void> scan(Columns columns, const std::function<Result<bool>(const Block&)>& visit) const {
    const auto earliest = to_us(query_.interval.from - limits::future_tolerance);
    return store_.scan(Family::journal, {}, {},
                       [&](std::string_view key, std::string_view value) -> Result<bool> {
                         TRY(const auto block_key, decode_block_key(key));
                         if (block_key.sequence > head_.sequence) return false;
                         if (time_of(value) < earliest) return true;
                         TRY(const auto block, decode_block(value, columns));
                         return visit(block);
                       });
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
    return scan(Columns::fold, [&](const Block& block) -> Result<bool> {
      for (const auto& adjustment : block.adjustments)
        key_now_[adjustment.target_row] = adjustment.key_to;
      return true;
    });
  }

  bool wanted(uint32_t key) {
    if (key >= wanted_.size()) wanted_.resize(dictionary_.keys.size());
    auto& known = wanted_[key];
    if (known == 0) known = query_.wanted(dictionary_.keys.key(key)) ? 1 : 2;
    return known == 1;
  }

  Result<bool> visit_block(const Block& block) {
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
      if (!on) return false;
    }
    return true;
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
};

}  // namespace

Result<void> walk_events(const Store& store, const Dictionary& dictionary, const Head& head,
                         const EventQuery& query,
                         const std::function<Result<bool>(const EventRow&)>& visit) {
  return EventWalk(store, dictionary, head, query, visit).run();
}

}  // namespace gauger::ledger
