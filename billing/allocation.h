// Rounding to minor units once, at the top, and handing the units down by largest remainder, so
// that parts always add up to their total. Pure and exact.
#pragma once

#include <span>
#include <vector>

#include "billing/currency.h"
#include "billing/rational.h"

namespace gauger::billing {

// The amount in minor units: the only rounding of a contract or an invoice.
Int128 round_total(const Rational& pico, const Currency& currency);

// Each amount (in pico-units, of any sign) becomes one of its two neighbouring minor units, and
// together they are `total_minor`, which must be a neighbour of their exact sum: units go to the
// largest remainders, and of equal ones to the earlier. Callers order by stable id.
std::vector<Int128> apportion(std::span<const Rational> amounts, Int128 total_minor,
                              const Currency& currency);

// Divides any total by weights that are not negative, in whole units, again by largest
// remainder and then the earlier. Weights that are all zero share evenly. Not for an empty list.
std::vector<Int128> allocate(Int128 total, std::span<const Rational> weights);

}  // namespace gauger::billing
