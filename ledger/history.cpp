#include "ledger/history.h"

#include <algorithm>

#include "ledger/bytes.h"
#include "ledger/cut.h"

namespace gauger::ledger {
namespace {

size_t memory_of(const Block& block) {
  return block.records() * size_t{32} + block.events.counts.values().size() * sizeof(int64_t);
}

bool holds(const Block& block, uint64_t row) {
  return block.first_row <= row && row < block.first_row + block.records();
}

}  // namespace

std::string amendment_key(uint64_t row) {
  std::string key = "A";
  put_key_u64(key, row);
  return key;
}

std::string encode(const Amendment& amendment) {
  std::string bytes;
  put(bytes, static_cast<uint8_t>(amendment.retracted));
  put(bytes, amendment.key);
  return bytes;
}

Result<Amendment> decode_amendment(std::string_view bytes) {
  ByteReader reader(bytes);
  Amendment amendment;
  amendment.retracted = reader.get<uint8_t>() != 0;
  amendment.key = reader.get<uint32_t>();
  if (!reader.complete()) return corruption("an amendment record is damaged");
  return amendment;
}

void History::forget_written() {
  const auto written = written_.load(std::memory_order_acquire);
  while (!in_flight_.empty() && in_flight_.front()->sequence <= written) in_flight_.pop_front();
  const auto is_written = [&](const auto& entry) { return entry.second <= written; };
  if (!quarantined_.empty()) std::erase_if(quarantined_, is_written);
  if (!amendments_.empty())
    std::erase_if(amendments_, [&](const auto& entry) { return entry.second.second <= written; });
}

void History::remember(std::shared_ptr<const Block> block) {
  forget_written();
  in_flight_.push_back(std::move(block));
}

void History::remember(uint64_t row, const Amendment& amendment, uint64_t sequence) {
  amendments_[row] = {amendment, sequence};
}

void History::remember_quarantined(std::string hash_key, uint64_t sequence) {
  quarantined_.emplace(std::move(hash_key), sequence);
}

void History::cache(std::shared_ptr<const Block> block) {
  const auto first_row = block->first_row;
  const auto bytes = memory_of(*block);
  recent_.push_front({std::move(block), bytes});
  by_first_row_[first_row] = recent_.begin();
  first_rows_.insert(std::lower_bound(first_rows_.begin(), first_rows_.end(), first_row),
                     first_row);
  cached_bytes_ += bytes;
  while (cached_bytes_ > cache_bytes_ && recent_.size() > 1) {
    const auto evicted = recent_.back().block->first_row;
    cached_bytes_ -= recent_.back().bytes;
    recent_.pop_back();
    by_first_row_.erase(evicted);
    first_rows_.erase(std::lower_bound(first_rows_.begin(), first_rows_.end(), evicted));
  }
}

std::shared_ptr<const Block> History::in_flight(uint64_t row) const {
  for (const auto& block : in_flight_)
    if (holds(*block, row)) return block;
  return nullptr;
}

// A chunk that holds the row begins less than a chunk's records before it. Going forward, the store
// looks only into the files that may have it.
Result<void> History::Identities::find_chunk(uint64_t row) {
  constexpr uint64_t before = identity_chunk_records - 1;
  const auto end = chunk_.first_row() + chunk_.records();
  const bool is_next = seeker_ && chunk_.records() != 0 && row >= end && row - end <= before;
  if (!seeker_) seeker_ = history_.store_.seeker(Family::identities);
  TRY(auto entry, is_next ? seeker_->next()
                          : seeker_->at_or_after(identity_chunk_key(row - std::min(row, before))));
  while (entry && entry->key <= identity_chunk_key(row)) {
    TRY(chunk_.read(entry->value));
    if (chunk_.holds(row)) return success();
    TRY(entry, seeker_->next());
  }
  return corruption("no identity chunk holds row " + std::to_string(row));
}

Result<std::optional<KnownIdentity>> History::Identities::at(uint64_t row) {
  if (const auto block = history_.in_flight(row)) {
    const auto record = static_cast<uint32_t>(row - block->first_row);
    const auto event = block->event_of(record);
    if (!event) return std::optional<KnownIdentity>();
    const auto& events = block->events;
    return std::optional(KnownIdentity{block->segment_of(record).name_space, events.source[*event],
                                       events.id[*event], events.content_hash[*event],
                                       events.completed_us[*event], events.duration_us[*event]});
  }
  if (!chunk_.holds(row)) {
    TRY(find_chunk(row));
  }
  const auto event = chunk_.event_of(row);
  if (event == IdentityChunk::not_accepted) return std::optional<KnownIdentity>();
  return std::optional(KnownIdentity{chunk_.name_space(event), chunk_.source(event),
                                     chunk_.id(event), chunk_.content_hash(event),
                                     chunk_.completed_us(event), chunk_.duration_us(event)});
}

Result<std::shared_ptr<const Block>> History::block_of(uint64_t row) {
  if (auto block = in_flight(row)) return block;
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
  if (after != first_rows_.begin()) {
    const auto cached = by_first_row_.at(*std::prev(after));
    if (holds(*cached->block, row)) {
      recent_.splice(recent_.begin(), recent_, cached);
      return cached->block;
    }
  }
  TRY(const auto entry, store_.at_or_before(Family::journal, encode(BlockKey{row, UINT64_MAX})));
  std::shared_ptr<const Block> block;
  if (entry) {
    TRY(auto decoded, decode_block(entry->value, Columns::fold));
    block = std::make_shared<const Block>(std::move(decoded));
  }
  if (!block || !holds(*block, row)) {
    TRY(const auto cut, read_cut_head(store_));
    if (row < cut.next_row) return std::shared_ptr<const Block>();
    return corruption("no journal block holds row " + std::to_string(row));
  }
  cache(block);
  return block;
}

Result<std::optional<Amendment>> History::amendment(uint64_t row) {
  if (const auto found = amendments_.find(row); found != amendments_.end())
    return std::optional(found->second.first);
  TRY(const auto stored, store_.get(Family::amendments, amendment_key(row)));
  if (!stored) return std::optional<Amendment>();
  TRY(const auto amendment, decode_amendment(*stored));
  return std::optional(amendment);
}

Result<bool> History::quarantined(std::string_view hash_key) {
  if (quarantined_.contains(std::string(hash_key))) return true;
  TRY(const auto stored, store_.get(Family::quarantine, hash_key));
  return stored.has_value();
}

}  // namespace gauger::ledger
