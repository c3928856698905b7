// A distribution as 129 quantiles in ascending order: the last one stands for the top. Drawing
// interpolates between neighbours in integers.
#pragma once

#include <array>
#include <cstdint>

#include "schemas/int128.h"

namespace gauger::load {

struct Quantiles {
  std::array<uint64_t, 129> points;

  // `random` is any 64 uniform bits: the first seven choose the segment, the next 32 the place
  // in it.
  constexpr uint64_t at(uint64_t random) const {
    const auto segment = static_cast<size_t>(random >> 57);
    const uint64_t place = (random >> 25) & 0xFFFF'FFFF;
    const uint64_t low = points[segment];
    const uint64_t width = points[segment + 1] - low;
    return low + static_cast<uint64_t>((Uint128{width} * place) >> 32);
  }
};

}  // namespace gauger::load
