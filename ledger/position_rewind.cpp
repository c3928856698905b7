#include "ledger/position_rewind.h"

#include <map>

#include "ledger/block.h"
#include "ledger/recover.h"

namespace gauger::ledger {
namespace {

constexpr uint64_t looked_back_max = 100;  // blocks; each takes some milliseconds

// One partition that later blocks moved on.
struct Rewound {
  Position position;
  bool met = false;  // in a block that is taken back
  bool found = false;
  bool wants_record = false;
  bool wants_completion = false;

  // Takes back what a later segment did; oldest first.
  void take_back(const Block& block, const Segment& segment) {
    if (!met) position.next_offset = segment.begin_offset;
    met = true;
    position.records -= segment.records;
    position.gaps -= segment.gaps;
    if (segment.records != 0) wants_record = true;
    if (segment.complete_at) wants_completion = true;
    position.sequence = std::min(position.sequence, block.sequence - 1);
  }
  void forget() {
    if (wants_record) position.last_record_offset = -1;
    if (wants_record) position.last_record_hash = 0;
    if (wants_completion) position.complete_at = std::nullopt;
  }
  // Newest first: what the segments before left.
  void find(const Block& block, const Segment& segment) {
    if (!found) position.sequence = block.sequence;
    found = true;
    if (wants_record && segment.records != 0) {
      wants_record = false;
      const auto last = segment.first_record + segment.records - 1;
      position.last_record_offset = segment.begin_offset + block.offsets[last];
      position.last_record_hash = segment.last_record_hash;
    }
    if (wants_completion && segment.complete_at) {
      wants_completion = false;
      position.complete_at = segment.complete_at;
    }
  }
  bool is_open() const {
    return !found || (wants_record && position.records != 0) || wants_completion;
  }
  // Whether nothing was read of it before.
  bool is_new() const { return !found && position.records == 0 && position.gaps == 0; }
};

class Rewinding {
 public:
  Rewinding(const Store& store, const Head& head) : store_(store), head_(head) {}

  Result<std::vector<Position>> run() {
    std::vector<Position> positions;
    TRY(auto stored, read_positions(store_));
    for (auto& position : stored) {
      if (position.sequence <= head_.sequence)
        positions.push_back(std::move(position));
      else
        ahead_[position_key(position.source, position.partition)].position = std::move(position);
    }
    if (ahead_.empty()) return positions;
    TRY(take_back());
    for (auto& [key, rewound] : ahead_) rewound.forget();
    TRY(look_back());
    for (auto& [key, rewound] : ahead_)
      if (!rewound.is_new()) positions.push_back(std::move(rewound.position));
    return positions;
  }

 private:
  Rewound* of(const Segment& segment) {
    if (!keeps_position(segment.source)) return nullptr;
    const auto found = ahead_.find(position_key(segment.source, segment.partition));
    return found == ahead_.end() ? nullptr : &found->second;
  }

  Result<void> take_back() {
    return store_.scan(Family::journal, encode(BlockKey{head_.next_row, head_.sequence + 1}), {},
                       [&](std::string_view, std::string_view value) -> Result<bool> {
                         TRY(const auto block, decode_block(value, Columns::all));
                         for (const auto& segment : block.segments)
                           if (auto* rewound = of(segment)) rewound->take_back(block, segment);
                         return true;
                       });
  }

  Result<void> look_back() {
    BlockKey key{head_.next_row, head_.sequence};
    for (uint64_t looked = 0; looked < looked_back_max && is_open(); ++looked) {
      TRY(const auto entry, store_.at_or_before(Family::journal, encode(key)));
      if (!entry) return success();
      TRY(const auto block, decode_block(entry->value, Columns::all));
      for (auto at = block.segments.rbegin(); at != block.segments.rend(); ++at)
        if (auto* rewound = of(*at)) rewound->find(block, *at);
      if (block.sequence <= 1) return success();
      key = {block.first_row, block.sequence - 1};
    }
    return success();
  }
  bool is_open() const {
    for (const auto& [key, rewound] : ahead_)
      if (rewound.is_open()) return true;
    return false;
  }

  const Store& store_;
  const Head& head_;
  std::map<std::string, Rewound> ahead_;
};

}  // namespace

Result<std::vector<Position>> positions_at(const Store& store, const Head& head) {
  return Rewinding(store, head).run();
}

}  // namespace gauger::ledger
