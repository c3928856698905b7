// Gives each difference of a grain its class. Rules look in a fixed order at what no rule before
// them has taken (billing/reconciliation/rules), so that the answer does not depend on the order of
// lines. Pure.
#pragma once

#include "billing/reconciliation/variance.h"

namespace gauger::billing {

Matched match(const Grain& grain, std::span<const Statement> statements,
              const Tolerance& tolerance);

}  // namespace gauger::billing
