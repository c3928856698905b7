// A contract's month with charges per day instead of per month: for what compares days, such as
// reconciliation. Sums are those of rate_contract(); days are those of the contract's zone.
#pragma once

#include "billing/contracts/contract_rating.h"

namespace gauger::billing {

Result<ContractMonth> rate_contract_by_day(const UsageTable& usage, const ContractTerms& terms,
                                           int32_t month);

}  // namespace gauger::billing
