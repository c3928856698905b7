// Pseudo-random numbers that are the same on every platform and for ever: integers only, no
// distributions of the standard library. Not for secrets.
#pragma once

#include <cstdint>

#include "schemas/int128.h"

namespace gauger::load {

// A bijection of 64 bits that leaves no trace of order (the finalizer of splitmix64).
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// splitmix64: one addition and one mix per number, and a stream of its own per seed, so that
// the n-th event of a run can be made without the ones before it.
class Random {
 public:
  explicit constexpr Random(uint64_t seed) : state_(seed) {}
  // The stream of item `index` of the run with that seed.
  constexpr Random(uint64_t seed, uint64_t index)
      : state_(mix(mix(seed + golden) ^ (index * 0xD1342543DE82EF95U))) {}

  constexpr uint64_t next() { return mix(state_ += golden); }

  // 0 <= result < bound. The bias is below bound / 2^64.
  constexpr uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((Uint128{next()} * bound) >> 64);
  }
  constexpr int64_t between(int64_t low, int64_t high) {  // both included
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  constexpr bool chance(uint64_t per_million) { return below(1'000'000) < per_million; }

 private:
  static constexpr uint64_t golden = 0x9E3779B97F4A7C15U;
  uint64_t state_;
};

}  // namespace gauger::load
