// A map from 64-bit keys to 32-bit values in one flat array, for tables that are asked millions
// of times. Grows only. The key UINT64_MAX is not allowed.
#pragma once

#include <cstdint>
#include <vector>

namespace gauger::ledger {

class FlatMap {
 public:
  // The value of the key, set to `fresh` where it was absent; tells which by the second.
  std::pair<uint32_t, bool> find_or_insert(uint64_t key, uint32_t fresh) {
    if (size_ * 2 >= slots_.size()) grow();
    for (auto at = mix(key) & mask_;; at = (at + 1) & mask_) {
      auto& slot = slots_[at];
      if (slot.key == key) return {slot.value, false};
      if (slot.key == empty) {
        slot = {key, fresh};
        ++size_;
        return {fresh, true};
      }
    }
  }
  const uint32_t* find(uint64_t key) const {
    for (auto at = mix(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return &slots_[at].value;
      if (slots_[at].key == empty) return nullptr;
    }
  }
  size_t size() const { return size_; }

 private:
  static constexpr uint64_t empty = UINT64_MAX;
  struct Slot {
    uint64_t key = empty;
    uint32_t value = 0;
  };
  static uint64_t mix(uint64_t key) {
    key *= 0x9E3779B97F4A7C15U;
    return key ^ key >> 32;
  }
  void grow() {
    auto old = std::move(slots_);
    slots_.assign(old.size() * 2, {});
    mask_ = slots_.size() - 1;
    for (const auto& slot : old) {
      if (slot.key == empty) continue;
      auto at = mix(slot.key) & mask_;
      while (slots_[at].key != empty) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(64);
  uint64_t mask_ = 63;
  size_t size_ = 0;
};

}  // namespace gauger::ledger
