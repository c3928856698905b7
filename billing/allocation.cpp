#include "billing/allocation.h"

#include <algorithm>
#include <numeric>

namespace gauger::billing {
namespace {

struct Part {
  Int128 floor;
  Rational remainder;
};

// Gives one unit each to the parts with the largest remainders until `total` is reached.
std::vector<Int128> hand_out(std::span<const Part> parts, Int128 total) {
  std::vector<Int128> units;
  units.reserve(parts.size());
  Int128 left = total;
  for (const auto& part : parts) {
    units.push_back(part.floor);
    left = checked_subtract(left, part.floor);
  }
  VERIFY(left >= 0 && left <= static_cast<Int128>(parts.size()),
         "a total is a neighbour of the sum of its parts");
  std::vector<size_t> order(parts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto count = static_cast<std::ptrdiff_t>(left);
  const auto before = [&](size_t a, size_t b) {
    const auto compared = parts[a].remainder <=> parts[b].remainder;
    return compared == 0 ? a < b : compared > 0;
  };
  if (count > 0 && count < std::ssize(order))
    std::nth_element(order.begin(), order.begin() + count, order.end(), before);
  for (std::ptrdiff_t i = 0; i < count; ++i) ++units[order[static_cast<size_t>(i)]];
  return units;
}

Part part_of(const Rational& pico, Int128 pico_per_minor) {
  if (!pico.is_whole()) {
    const auto floor = (pico / Rational(pico_per_minor)).rounded(Rounding::floor);
    return {floor, pico - Rational(floor) * Rational(pico_per_minor)};
  }
  const auto value = pico.rounded(Rounding::floor);
  auto floor = value / pico_per_minor;
  if (value % pico_per_minor < 0) --floor;
  return {floor, Rational(value - floor * pico_per_minor)};
}

}  // namespace

Int128 round_total(const Rational& pico, const Currency& currency) {
  return currency.to_minor(pico, Rounding::half_even);
}

std::vector<Int128> apportion(std::span<const Rational> amounts, Int128 total_minor,
                              const Currency& currency) {
  const auto pico_per_minor = currency.pico_per_minor();
  std::vector<Part> parts;
  parts.reserve(amounts.size());
  for (const auto& amount : amounts) parts.push_back(part_of(amount, pico_per_minor));
  return hand_out(parts, total_minor);
}

std::vector<Int128> allocate(Int128 total, std::span<const Rational> weights) {
  VERIFY(!weights.empty(), "somebody takes the total");
  Rational sum;
  for (const auto& weight : weights) {
    VERIFY(!weight.is_negative(), "weights are not negative");
    sum += weight;
  }
  const bool evenly = sum.is_zero();
  const Rational whole(evenly ? static_cast<Int128>(weights.size()) : Int128{1});
  std::vector<Part> parts;
  parts.reserve(weights.size());
  for (const auto& weight : weights) {
    const auto quota = evenly ? Rational(total) / whole : Rational(total) * weight / sum;
    const auto floor = quota.rounded(Rounding::floor);
    parts.push_back({floor, quota - Rational(floor)});
  }
  return hand_out(parts, total);
}

}  // namespace gauger::billing
