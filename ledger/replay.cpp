#include "ledger/replay.h"

#include <functional>

#include "ledger/bytes.h"
#include "schemas/limits.h"

namespace gauger::ledger {

// --- identities -----------------------------------------------------------------------------

Fingerprint AcceptedIdentities::fingerprint_of(StringId name_space, StringId source,
                                               std::string_view id) const {
  return fingerprint(key_, name_space, source, id);
}

Result<bool> AcceptedIdentities::contains(Fingerprint print, StringId name_space, StringId source,
                                          std::string_view id) {
  std::vector<uint64_t> rows;
  index_.find(print, [&](uint64_t row) {
    rows.push_back(row);
    return false;
  });
  for (const auto row : rows) {
    if (!chunks_) chunks_.emplace(history_.identities());
    TRY(const auto known, chunks_->at(row));
    if (known && is_identity(*known, name_space, source, id)) return true;
  }
  return false;
}

void AcceptedIdentities::add(Fingerprint print, uint64_t row) { index_.insert(print, row); }

void AcceptedIdentities::add(const Block& block) {
  const auto& events = block.events;
  for (uint32_t i = 0; i < events.size(); ++i)
    add(fingerprint_of(block.segment_of(events.row[i]).name_space, events.source[i], events.id[i]),
        block.first_row + events.row[i]);
  chunks_.reset();
}

Result<void> AcceptedIdentities::add_rows(uint64_t end_row) {
  if (end_row == 0) return success();
  IdentityChunk chunk;
  uint64_t next_row = 0;
  TRY(journal_.scan(Family::identities, identity_chunk_key(0), identity_chunk_key(end_row),
                    [&](std::string_view, std::string_view value) -> Result<bool> {
                      TRY(chunk.read(value));
                      if (chunk.first_row() != next_row) return false;
                      next_row += chunk.records();
                      for (uint32_t i = 0; i < chunk.events(); ++i)
                        add(fingerprint_of(chunk.name_space(i), chunk.source(i), chunk.id(i)),
                            chunk.row(i));
                      return true;
                    }));
  if (next_row != end_row)
    return corruption("the identities of row " + std::to_string(next_row) + " are missing");
  return success();
}

void add_block(const Block& block, std::string_view bytes, Head& head) {
  head.sequence = block.sequence;
  head.next_row = block.first_row + block.records();
  head.hash = sha256(bytes);
  head.block_time = block.block_time;
  head.strings = block.first_string + static_cast<uint32_t>(block.strings.size());
  head.keys = block.first_key + static_cast<uint32_t>(block.keys.size());
  for (const auto disposition : block.dispositions)
    ++head.records[static_cast<size_t>(disposition)];
  for (size_t i = 0; i < block.events.size(); ++i) {
    const auto counts = block.events.counts_of(i);
    for (size_t meter = 0; meter < meter_count; ++meter) head.totals[meter] += counts[meter];
  }
}

// --- blocks ---------------------------------------------------------------------------------

Result<void> Replay::resume(const Head& head) {
  head_ = head;
  TRY(waiting_.load(into_));
  TRY(reservations_.load(into_, config_.grain));
  return into_.scan(Family::positions, {}, {},
                    [&](std::string_view key, std::string_view value) -> Result<bool> {
                      TRY(auto position, decode_position(key, value));
                      positions_.emplace(std::string(key), std::move(position));
                      return true;
                    });
}

Result<void> Replay::add(const Block& block, std::string_view bytes) {
  for (const auto key : block.events.key)
    if (key >= dictionary_.keys.size())
      return corruption("journal block " + std::to_string(block.sequence) +
                        " uses a key that nobody defined");
  add_block(block, bytes, head_);
  move_positions(block);
  post_documents(block);
  TRY(await_targets(block));
  apply_adjustments(block);
  for (const auto& record : block.reservations) reservations_.replay(record);
  TRY(reservations_.write(into_, block.reservations, block.block_time, block.sequence, writes_));
  writes_.put(Family::meta, std::string(head_key), encode(head_));
  TRY(into_.write_unlogged(writes_));
  writes_.writes.clear();
  return success();
}

void Replay::move_positions(const Block& block) {
  for (const auto& segment : block.segments) {
    if (!keeps_position(segment.source)) continue;
    auto key = position_key(segment.source, segment.partition);
    auto [found, fresh] = positions_.try_emplace(key);
    move_position(found->second, fresh, block, segment);
    writes_.put(Family::positions, std::move(key), encode(found->second));
  }
}

void Replay::post_documents(const Block& block) {
  for (const auto& [version, content] : block.documents)
    writes_.put(Family::documents, document_key(version.key, version.version), encode(version));
}

// Where rows stand after their retractions and outcomes: the adjustments say it in order.
void Replay::apply_adjustments(const Block& block) {
  for (const auto& adjustment : block.adjustments) {
    const bool retracted = adjustment.key_to == Adjustment::no_key;
    const Amendment amendment{retracted, retracted ? adjustment.key_from : adjustment.key_to};
    writes_.put(Family::amendments, amendment_key(adjustment.target_row), encode(amendment));
  }
}

namespace {

// Identities of one block, told by their text.
class BlockIdentities {
 public:
  explicit BlockIdentities(const Block& block) : block_(block) {
    for (uint32_t i = 0; i < block.events.size(); ++i)
      events_.emplace(name(name_space_of(i), block.events.source[i], block.events.id[i]), i);
  }
  StringId name_space_of(uint32_t event) const {
    return block_.segment_of(block_.events.row[event]).name_space;
  }
  // Whether an event not after `event` has the identity.
  bool accepted_by(uint32_t event, StringId name_space, StringId source,
                   std::string_view id) const {
    const auto found = events_.find(name(name_space, source, id));
    return found != events_.end() && found->second <= event;
  }

 private:
  static std::string name(StringId name_space, StringId source, std::string_view id) {
    std::string text;
    put(text, name_space);
    put(text, source);
    return text.append(id);
  }

  const Block& block_;
  std::unordered_map<std::string, uint32_t> events_;
};

}  // namespace

// In the order of the intake: an event's own target first, then what waits for the event.
Result<void> Replay::await_targets(const Block& block) {
  const auto& events = block.events;
  if (events.targets.empty() && !waiting_.any()) return success();
  const BlockIdentities here(block);
  for (uint32_t event = 0; event < events.size(); ++event) {
    const auto name_space = here.name_space_of(event);
    if (const auto* target = events.target_of(event)) {
      const auto wanted = identities_.fingerprint_of(name_space, target->source, target->id);
      TRY(const bool before, identities_.contains(wanted, name_space, target->source, target->id));
      if (!before && !here.accepted_by(event, name_space, target->source, target->id)) {
        const auto kind =
            events.kind[event] == EventKind::outcome ? EventKind::outcome : EventKind::retraction;
        waiting_.add(wanted,
                     {block.first_row + events.row[event], kind,
                      dictionary_.keys.key(events.key[event]).outcome, name_space, target->source,
                      target->id},
                     writes_);
      }
    }
    if (events.kind[event] != EventKind::usage || !waiting_.any()) continue;
    const auto print =
        identities_.fingerprint_of(name_space, events.source[event], events.id[event]);
    if (waiting_.has(print))
      waiting_.take(print, name_space, events.source[event], events.id[event], writes_);
  }
  return success();
}

// --- comparison -----------------------------------------------------------------------------

namespace {

class Comparison {
 public:
  Comparison(const Store& stored, const Store& replayed, std::chrono::minutes grain, Instant now,
             size_t at_most)
      : stored_(stored),
        replayed_(replayed),
        history_(stored, 64U << 20),
        at_most_(at_most),
        oldest_side_(period_at(to_us(now - 2 * limits::quota_window_max), grain)),
        remembered_from_(now - limits::reservation_memory) {}

  Result<std::vector<ReplayDifference>> run() {
    for (const auto family :
         {Family::positions, Family::documents, Family::amendments, Family::reservations}) {
      TRY(compare(family));
    }
    return std::move(differences_);
  }

 private:
  // Every stored entry against its replayed twin, then what has no stored one.
  Result<void> compare(Family family) {
    TRY(stored_.scan(
        family, {}, {}, [&](std::string_view key, std::string_view value) -> Result<bool> {
          TRY(const auto twin, replayed_.get(family, key));
          if (twin == value) return true;
          if (!twin) {
            TRY(const bool neutral, is_neutral(family, key, value));
            if (neutral) return true;
          }
          return differ(family, key, twin,
                        twin ? "is not what the journal makes of it" : "is unknown to the journal");
        }));
    return replayed_.scan(family, {}, {},
                          [&](std::string_view key, std::string_view value) -> Result<bool> {
                            TRY(const auto twin, stored_.get(family, key));
                            if (twin) return true;
                            TRY(const bool forgotten, is_forgotten(family, key, value));
                            if (forgotten) return true;
                            return differ(family, key, std::string(value), "is missing");
                          });
  }

  Result<bool> differ(Family family, std::string_view key, std::optional<std::string> replayed,
                      const char* how) {
    differences_.push_back({family, std::string(key), std::move(replayed),
                            name(family, key) + " " + how + "; run `gauger rebuild`"});
    return differences_.size() < at_most_;
  }

  static std::string name(Family family, std::string_view key) {
    switch (family) {
      case Family::positions:
        return "the position of " + std::string(key.substr(0, key.find('\0')));
      case Family::documents: return "the entry of the document " + readable(key);
      case Family::amendments:
        return key.starts_with('A') ? "the amendment of row " +
                                          std::to_string(ByteReader(key.substr(1)).get_key_u64())
                                    : "an event that waits for its target";
      default:
        return (key.starts_with('S') ? "the side balance " : "the reservation ") +
               readable(key.substr(1));
    }
  }
  static std::string readable(std::string_view key) {
    std::string text;
    for (const char c : key) text += c == '\0' ? '/' : c >= ' ' && c < 127 ? c : '.';
    return text;
  }

  // A repeated outcome is noted though it moves nothing; a reservation that ended long ago is
  // forgotten a little at a time.
  Result<bool> is_neutral(Family family, std::string_view key, std::string_view value) {
    if (family == Family::reservations) return is_forgotten(family, key, value);
    if (family != Family::amendments || !key.starts_with('A')) return false;
    TRY(const auto amendment, decode_amendment(value));
    if (amendment.retracted) return false;
    const auto row = ByteReader(key.substr(1)).get_key_u64();
    TRY(const auto block, history_.block_of(row));
    if (!block) return true;  // archived: the cut's baseline stands for it
    const auto event = block->event_of(static_cast<uint32_t>(row - block->first_row));
    return event && block->events.key[*event] == amendment.key;
  }

  Result<bool> is_forgotten(Family family, std::string_view key, std::string_view value) {
    if (family != Family::reservations) return false;
    const auto forgotten = [&](uint64_t expires_us) {
      return instant_from_us(static_cast<int64_t>(expires_us)) < remembered_from_;
    };
    switch (key.front()) {
      case 'S':
        return ByteReader(key.substr(key.size() - sizeof(uint32_t))).get_key_u32() < oldest_side_;
      case 'X': return forgotten(ByteReader(key.substr(1)).get_key_u64());
      case 'E': {
        TRY(const auto reservation, decode_reservation(value));
        return reservation.expires_at < remembered_from_;
      }
      default: return false;
    }
  }

  const Store& stored_;
  const Store& replayed_;
  History history_;
  const size_t at_most_;
  const uint32_t oldest_side_;
  const Instant remembered_from_;
  std::vector<ReplayDifference> differences_;
};

}  // namespace

Result<std::vector<ReplayDifference>> compare_replay(const Store& stored, const Store& replayed,
                                                     std::chrono::minutes grain, Instant now,
                                                     size_t at_most) {
  return Comparison(stored, replayed, grain, now, at_most).run();
}

}  // namespace gauger::ledger
