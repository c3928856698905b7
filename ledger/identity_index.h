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
  IdentityIndex()
      : fingerprints_(slots_at_start), rows_(slots_at_start), mask_(slots_at_start - 1) {}

  void prefetch(Fingerprint fingerprint) const {
    __builtin_prefetch(&fingerprints_[fingerprint & mask_]);
  }

  // Calls visit(row) for every row with this fingerprint until it returns true; answers that.
  template <class Visit>
  bool find(Fingerprint fingerprint, Visit&& visit) const {
    for (auto at = fingerprint & mask_; fingerprints_[at] != 0; at = (at + 1) & mask_)
      if (fingerprints_[at] == fingerprint && visit(uint64_t{rows_[at]})) return true;
    return false;
  }
  bool contains(Fingerprint fingerprint) const {
    return find(fingerprint, [](uint64_t) { return true; });
  }

  void insert(Fingerprint fingerprint, uint64_t row) {
    VERIFY(row <= UINT32_MAX, "rows of one generation fit in 32 bits");
    if (size_ >= mask_ / 4 * 3) grow();
    place(fingerprint, static_cast<uint32_t>(row));
    ++size_;
  }

  uint64_t size() const { return size_; }
  uint64_t memory_bytes() const { return (mask_ + 1) * 12; }

 private:
  static constexpr uint64_t slots_at_start = 1U << 12;

  void place(Fingerprint fingerprint, uint32_t row) {
    auto at = fingerprint & mask_;
    while (fingerprints_[at] != 0) at = (at + 1) & mask_;
    fingerprints_[at] = fingerprint;
    rows_[at] = row;
  }
  void grow() {
    auto fingerprints = std::move(fingerprints_);
    auto rows = std::move(rows_);
    mask_ = (mask_ + 1) * 2 - 1;
    fingerprints_.assign(mask_ + 1, 0);
    rows_.assign(mask_ + 1, 0);
    for (size_t i = 0; i < fingerprints.size(); ++i)
      if (fingerprints[i] != 0) place(fingerprints[i], rows[i]);
  }

  std::vector<Fingerprint> fingerprints_;  // 0: empty
  std::vector<uint32_t> rows_;
  uint64_t mask_;
  uint64_t size_ = 0;
};

}  // namespace gauger::ledger
