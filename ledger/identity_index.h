// Which identities the ledger knows: a 64-bit keyed fingerprint of (namespace, source, id) leads
// to the journal rows that may hold it. Never the last word: the row's raw id decides, so two
// identities with one fingerprint are both kept and told apart.
//
// One thread. Figures: 12 bytes a slot, at most 3/4 full, so at most 16 bytes per identity when
// full; a miss costs one cache line, hidden by `prefetch`.
#pragma once

#include <cstdint>
#include <vector>

#include "ledger/hash.h"
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
      : fingerprints_(size_t{1} << slots_log2_at_start),
        rows_(size_t{1} << slots_log2_at_start),
        first_row_(first_row) {}

  void prefetch(Fingerprint fingerprint) const {
    __builtin_prefetch(&fingerprints_[slot_of(fingerprint)]);
  }

  // Calls visit(row) for every row with this fingerprint until it returns true; answers that.
  template <class Visit>
  bool find(Fingerprint fingerprint, Visit&& visit) const {
    for (auto at = slot_of(fingerprint); fingerprints_[at] != 0; at = next(at))
      if (fingerprints_[at] == fingerprint && visit(first_row_ + rows_[at])) return true;
    return false;
  }
  // Calls visit(fingerprint, row) for all, nearly in the order of the fingerprints.
  template <class Visit>
  void each(Visit&& visit) const {
    for (size_t at = 0; at < fingerprints_.size(); ++at)
      if (fingerprints_[at] != 0) visit(fingerprints_[at], first_row_ + rows_[at]);
  }

  void insert(Fingerprint fingerprint, uint64_t row) {
    VERIFY(row >= first_row_ && row - first_row_ <= UINT32_MAX, "rows of one index fit in 32 bits");
    if (size_ >= fingerprints_.size() / 4 * 3) grow();
    place(fingerprint, static_cast<uint32_t>(row - first_row_));
    ++size_;
  }

  uint64_t size() const { return size_; }
  uint64_t memory_bytes() const { return fingerprints_.size() * 12; }

 private:
  static constexpr unsigned slots_log2_at_start = 12;

  // The upper bits say where, so that growing goes through memory in order.
  size_t slot_of(Fingerprint fingerprint) const { return fingerprint >> shift_; }
  size_t next(size_t at) const { return (at + 1) & (fingerprints_.size() - 1); }
  void place(Fingerprint fingerprint, uint32_t row) {
    auto at = slot_of(fingerprint);
    while (fingerprints_[at] != 0) at = next(at);
    fingerprints_[at] = fingerprint;
    rows_[at] = row;
  }
  void grow() {
    const auto fingerprints = std::move(fingerprints_);
    const auto rows = std::move(rows_);
    --shift_;
    fingerprints_.assign(fingerprints.size() * 2, 0);
    rows_.assign(rows.size() * 2, 0);
    for (size_t i = 0; i < fingerprints.size(); ++i)
      if (fingerprints[i] != 0) place(fingerprints[i], rows[i]);
  }

  std::vector<Fingerprint> fingerprints_;  // 0: empty
  std::vector<uint32_t> rows_;             // less first_row_
  unsigned shift_ = 64 - slots_log2_at_start;
  uint64_t first_row_;
  uint64_t size_ = 0;
};

}  // namespace gauger::ledger
