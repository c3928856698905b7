// The section "== savings MONTH [UNTIL] by=team,... basis=contract|list list=BOOK" of a scenario:
// the statement of these months, exact, a line per figure of each group and then of the total.
#pragma once

#include <string>

#include "billing/savings/statement.h"

namespace gauger::billing {

Result<std::string> run_savings(const UsageTable& usage, const SavingsTerms& terms,
                                const std::string& arguments);

}  // namespace gauger::billing
