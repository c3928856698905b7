// What the writer can look up of the past: blocks by row, what later events did to a row, and
// which bad records are already kept. Sees blocks that are decided but not yet written, too.
// One thread (the writer's); `written` may be called by the thread that writes.
#pragma once

#include <atomic>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

#include "ledger/block.h"
#include "ledger/store.h"

namespace gauger::ledger {

// What became of a usage row after it was counted.
struct Amendment {
  bool retracted = false;
  uint32_t key = 0;  // where its counts are now
};

// The identity of an accepted row, and what tells a duplicate of it from a conflict.
struct KnownIdentity {
  StringId name_space;
  StringId source;
  std::string_view id;
  uint64_t content_hash;
  int64_t completed_us;
  int64_t duration_us;
};
inline bool is_identity(const KnownIdentity& known, StringId name_space, StringId source,
                        std::string_view id) {
  return known.source == source && known.id == id && known.name_space == name_space;
}

class History {
 public:
  History(const Store& store, size_t cache_bytes) : store_(store), cache_bytes_(cache_bytes) {}

  // Identities by row; rows in ascending order are found fastest. For a short while: it sees what
  // was written when it was made, and `this` must not move on.
  class Identities {
   public:
    // None when the row was not accepted; corruption when there is no such row. The views live
    // until the next question.
    Result<std::optional<KnownIdentity>> at(uint64_t row);

   private:
    friend class History;
    explicit Identities(const History& history) : history_(history) {}
    Result<void> find_chunk(uint64_t row);

    const History& history_;
    std::unique_ptr<Store::Seeker> seeker_;  // made when first needed
    IdentityChunk chunk_;
  };
  Identities identities() const { return Identities(*this); }

  // The block that holds the row, with the columns of the fold; nullptr where it was archived,
  // corruption when there is none.
  Result<std::shared_ptr<const Block>> block_of(uint64_t row);
  Result<std::optional<Amendment>> amendment(uint64_t row);
  // Whether a bad record with this hash is kept already.
  Result<bool> quarantined(std::string_view hash_key);

  // Decided now, not yet in the store.
  void remember(std::shared_ptr<const Block> block);
  void remember(uint64_t row, const Amendment& amendment, uint64_t sequence);
  void remember_quarantined(std::string hash_key, uint64_t sequence);

  // Everything up to this block is in the store.
  void written(uint64_t sequence) { written_.store(sequence, std::memory_order_release); }
  uint64_t written() const { return written_.load(std::memory_order_acquire); }
  const Store& store() const { return store_; }

 private:
  struct Cached {
    std::shared_ptr<const Block> block;
    size_t bytes;
  };
  void forget_written();
  std::shared_ptr<const Block> in_flight(uint64_t row) const;
  void cache(std::shared_ptr<const Block> block);

  const Store& store_;
  const size_t cache_bytes_;
  std::atomic<uint64_t> written_{0};
  std::deque<std::shared_ptr<const Block>> in_flight_;
  std::unordered_map<uint64_t, std::pair<Amendment, uint64_t>> amendments_;
  std::unordered_map<std::string, uint64_t> quarantined_;
  std::list<Cached> recent_;  // most recently used first
  std::unordered_map<uint64_t, std::list<Cached>::iterator> by_first_row_;
  std::vector<uint64_t> first_rows_;  // of the cached blocks, sorted
  size_t cached_bytes_ = 0;
};

// Keys in Family::amendments: 'A' + row for an amendment, 'W' + fingerprint + row for an event
// that waits for its target.
std::string amendment_key(uint64_t row);
std::string encode(const Amendment& amendment);
Result<Amendment> decode_amendment(std::string_view bytes);

}  // namespace gauger::ledger
