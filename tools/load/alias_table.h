// Draws from a discrete distribution in constant time (Walker's alias method), in integers
// only, so that every platform draws the same.
#pragma once

#include <cstdint>
#include <vector>

#include "schemas/int128.h"

namespace gauger::load {

class AliasTable {
 public:
  // At least one weight, at most 2^32 of them, not all zero, each at most 2^48.
  explicit AliasTable(const std::vector<uint64_t>& weights);

  // `random` is any 64 uniform bits.
  uint32_t at(uint64_t random) const {
    const auto scaled = Uint128{random} * slots_.size();
    const auto& slot = slots_[static_cast<size_t>(scaled >> 64)];
    const auto coin = static_cast<uint32_t>(static_cast<uint64_t>(scaled) >> 32);
    return coin < slot.threshold ? slot.own : slot.alias;
  }
  size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    uint32_t threshold;  // of 2^32; the last ones are certain by own == alias
    uint32_t own;
    uint32_t alias;
  };
  std::vector<Slot> slots_;
};

// Weights proportional to 1 / rank^exponent for ranks 1 to count, to about 30 bits. The
// exponent is in thousandths, at most 4,000; 0 is uniform.
std::vector<uint64_t> zipf_weights(size_t count, uint32_t exponent_milli);

}  // namespace gauger::load
