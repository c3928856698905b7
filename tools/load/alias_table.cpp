#include "tools/load/alias_table.h"

#include <array>
#include <bit>
#include <numeric>

#include "schemas/verify.h"

namespace gauger::load {
namespace {

constexpr int fraction_bits = 32;

// log2(value) with 32 bits of fraction, digit by digit: squaring the mantissa doubles its
// logarithm.
uint64_t log2_fixed(uint64_t value) {
  const auto whole = static_cast<uint64_t>(std::bit_width(value)) - 1;
  uint64_t mantissa = value << (63 - whole);  // 1 to 2, with 63 bits of fraction
  uint64_t fraction = 0;
  for (int i = 0; i < fraction_bits; ++i) {
    const auto square = (Uint128{mantissa} * mantissa) >> 63;
    const bool two_or_more = (square >> 64) != 0;
    mantissa = static_cast<uint64_t>(two_or_more ? square >> 1 : square);
    fraction = fraction << 1 | (two_or_more ? 1 : 0);
  }
  return whole << fraction_bits | fraction;
}

uint64_t square_root(Uint128 value) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 63; bit != 0; bit >>= 1)
    if (Uint128{root | bit} * (root | bit) <= value) root |= bit;
  return root;
}

// 2^-x with 63 bits of fraction, for x with 32 bits of fraction: the product of the roots
// 2^-(1/2), 2^-(1/4), ... whose digit in x is one.
uint64_t exp2_of_minus(uint64_t x) {
  const auto whole = x >> fraction_bits;
  if (whole >= 63) return 0;
  uint64_t result = uint64_t{1} << 63;
  uint64_t root = uint64_t{1} << 62;  // one half
  for (int digit = fraction_bits - 1; digit >= 0; --digit) {
    root = square_root(Uint128{root} << 63);
    if (x >> digit & 1) result = static_cast<uint64_t>((Uint128{result} * root) >> 63);
  }
  return result >> whole;
}

}  // namespace

AliasTable::AliasTable(const std::vector<uint64_t>& weights) {
  const auto count = weights.size();
  const auto total = std::accumulate(weights.begin(), weights.end(), Uint128{0});
  VERIFY(count > 0 && total > 0, "a distribution has weights");
  // A slot holds `total`; an outcome's share of the slots is its weight times their number.
  std::vector<Uint128> share(count);
  std::vector<uint32_t> small;
  std::vector<uint32_t> large;
  slots_.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    share[i] = Uint128{weights[i]} * count;
    (share[i] < total ? small : large).push_back(i);
    slots_[i] = {0, i, i};
  }
  while (!small.empty()) {
    const auto i = small.back();
    const auto donor = large.back();
    small.pop_back();
    slots_[i] = {static_cast<uint32_t>((share[i] << 32) / total), i, donor};
    share[donor] -= total - share[i];
    if (share[donor] < total) {
      large.pop_back();
      small.push_back(donor);
    }
  }
}

std::vector<uint64_t> zipf_weights(size_t count, uint32_t exponent_milli) {
  constexpr int surplus_bits = 63 - 40;
  std::vector<uint64_t> weights(count);
  for (size_t i = 0; i < count; ++i) {
    const auto exponent = Uint128{log2_fixed(i + 1)} * exponent_milli / 1000;
    weights[i] = exp2_of_minus(static_cast<uint64_t>(exponent)) >> surplus_bits;
  }
  return weights;
}

}  // namespace gauger::load
