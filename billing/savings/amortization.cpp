#include "billing/savings/amortization.h"

#include <algorithm>

namespace gauger::billing {

Rational amortization_of(const OneOff& one_off, const Program& program, int32_t month) {
  const auto first = std::max(program.go_live, one_off.month + 1);
  if (program.retired && *program.retired < first) {
    // Spent after the end or just before it: nothing is left that it could serve.
    return month == std::max(*program.retired, one_off.month) ? one_off.amount : Rational();
  }
  if (month < first || (program.retired && month > *program.retired)) return {};
  auto rest = one_off.amount;
  for (auto at = first; !rest.is_zero(); ++at) {
    auto months = one_off.months;
    for (const auto& reestimate : one_off.reestimates)
      if (reestimate.month <= at) months = reestimate.months;
    const auto left = first + months - at;
    const bool last = left <= 1 || at == program.retired;
    const auto part = last ? rest : rest / Rational(Int128{left});
    if (at == month) return part;
    rest -= part;
  }
  return {};
}

}  // namespace gauger::billing
