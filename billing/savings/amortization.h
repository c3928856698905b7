// One-off costs in vintages: each month's spend is written off in equal parts over its months,
// from the go-live or the month after it was spent, whichever is later. Retirement writes off what
// is left; a re-estimate spreads what is left over the months that it leaves. Exact: the parts of
// a vintage add up to it. Pure.
#pragma once

#include "billing/savings/program.h"

namespace gauger::billing {

// What one vintage costs in a month; pico-units.
Rational amortization_of(const OneOff& one_off, const Program& program, int32_t month);

}  // namespace gauger::billing
