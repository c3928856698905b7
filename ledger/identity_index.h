// Which identities the ledger knows: a 64-bit keyed fingerprint of (namespace, source, id) leads
// to the journal rows that may hold it. Never the last word: the row's raw id decides, so two
// identities with one fingerprint are both kept and told apart.
//
// One thread. Figures: 12 bytes a slot, at most 4/5 full, so 15 bytes per identity when full and 23
// after it has grown; a miss costs some three cache lines side by side, hidden by `prefetch`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ledger/hash.h"
#include "ledger/large_pages.h"
#include "schemas/usage_key.h"
#include "schemas/verify.h"

namespace gauger::ledger {

using Fingerprint = uint64_t;

// Keyed, so that nobody outside can make fingerprints collide; never 0.
inline Fingerprint fingerprint(uint64_t ledger_key, StringId name_space, StringId source,
                               std::string_view id) {
  const auto seed = ledger_key ^ (uint64_t{name_space.value} << 32 | source.value);
  const auto hash = hash64(id, seed);
  return hash != 0 ? hash : 1;
}

class IdentityIndex {
 public:
  // Of rows from `first_row` on.
  explicit IdentityIndex(uint64_t first_row = 0)
      : slots_(slots_at_start + slots_behind), home_slots_(slots_at_start), first_row_(first_row) {}

  void prefetch(Fingerprint fingerprint) const {
    constexpr size_t line_bytes = 64;
    const auto* const home = reinterpret_cast<const char*>(&slots_[home_of(fingerprint)]);
    for (size_t line = 0; line < 3; ++line) __builtin_prefetch(home + line * line_bytes);
  }

  // Where a fingerprint is or would be, until the next insertion.
  size_t seek(Fingerprint fingerprint) const {
    auto at = home_of(fingerprint);
    while (slots_[at].is_below(fingerprint)) ++at;
    return at;
  }
  // Calls visit(row) for every row with this fingerprint until it returns true; answers that.
  template <class Visit>
  bool find(Fingerprint fingerprint, Visit&& visit) const {
    return find_at(seek(fingerprint), fingerprint, visit);
  }
  template <class Visit>
  bool find_at(size_t at, Fingerprint fingerprint, Visit&& visit) const {
    for (; slots_[at].fingerprint == fingerprint; ++at)
      if (visit(first_row_ + slots_[at].row)) return true;
    return false;
  }
  // Goes through all, in the order of the fingerprints, while the index does not change.
  class Walk {
   public:
    explicit Walk(const IdentityIndex& index) : index_(index) { skip_empty(); }
    bool at_end() const { return at_ == index_.slots_.size(); }
    Fingerprint fingerprint() const { return index_.slots_[at_].fingerprint; }
    uint64_t row() const { return index_.first_row_ + index_.slots_[at_].row; }
    void next() {
      ++at_;
      skip_empty();
    }

   private:
    void skip_empty() {
      while (!at_end() && fingerprint() == 0) ++at_;
    }
    const IdentityIndex& index_;
    size_t at_ = 0;
  };

  void insert(Fingerprint fingerprint, uint64_t row) {
    insert_at(seek(fingerprint), fingerprint, row);
  }
  // `at` is where seek says.
  void insert_at(size_t at, Fingerprint fingerprint, uint64_t row) {
    VERIFY(row >= first_row_ && row - first_row_ <= UINT32_MAX, "rows of one index fit in 32 bits");
    if (size_ >= home_slots_ / 5 * 4) {
      grow();
      at = seek(fingerprint);
    }
    place(at, {fingerprint, static_cast<uint32_t>(row - first_row_)});
    ++size_;
  }

  uint64_t size() const { return size_; }
  uint64_t memory_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  // Growing by halves, it is full when it holds 6.05 million, which the ledger freezes it near to.
  static constexpr size_t slots_at_start = 5120;
  // Behind the last home, for what found its own taken; more where that is not enough. The very
  // last slot stays empty.
  static constexpr size_t slots_behind = 512;

  struct [[gnu::packed]] Slot {
    Fingerprint fingerprint;  // 0: empty
    uint32_t row;             // less first_row_

    // An empty slot is above everything.
    bool is_below(Fingerprint wanted) const { return fingerprint - 1 < wanted - 1; }
  };
  static_assert(sizeof(Slot) == 12);

  // The order of homes is that of the fingerprints.
  size_t home_of(Fingerprint fingerprint) const { return (fingerprint >> 32) * home_slots_ >> 32; }
  void place(size_t at, Slot slot) {
    auto end = at;
    while (slots_[end].fingerprint != 0) ++end;
    if (end + 1 == slots_.size()) slots_.resize(slots_.size() + slots_.size() / 8);
    std::memmove(&slots_[at + 1], &slots_[at], (end - at) * sizeof(Slot));
    slots_[at] = slot;
  }
  void grow() {
    const auto slots = std::move(slots_);
    home_slots_ += home_slots_ / 2;
    VERIFY(home_slots_ <= UINT32_MAX, "homes are counted in 32 bits");
    slots_ = LargeTable<Slot>(home_slots_ + slots_behind);
    size_t next = 0;
    for (const auto& slot : slots) {
      if (slot.fingerprint == 0) continue;
      next = std::max(next, home_of(slot.fingerprint));
      if (next + 1 == slots_.size()) slots_.resize(slots_.size() + slots_.size() / 8);
      slots_[next++] = slot;
    }
  }

  // By fingerprint from the front: each at its home or as near behind it as there is room.
  LargeTable<Slot> slots_;
  size_t home_slots_;
  uint64_t first_row_;
  uint64_t size_ = 0;
};

}  // namespace gauger::ledger
