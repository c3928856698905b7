// What a whole contract costs month by month under some usage, real or not: the C of realized
// savings. A minimum commitment is measured against its elapsed part in every month, instead of
// at the end of its term alone, so that each month bears its own; at the end both are the same.
// Pure.
#pragma once

#include <map>

#include "billing/contracts/contract_rating.h"

namespace gauger::billing {

struct WorldMonth {
  ContractMonth rated;
  Rational total;  // with the month's part of a missed commitment; pico-units
};

// Whether one unit more can cost other than the unit price: schedules, discounts above a
// threshold, commitments, prepaid credit, provisioned capacity.
bool depends_on_volume(const Contract& contract, const PriceBooks& books);

// The first month whose usage the cost of `month` depends on.
int32_t first_month_of(const Contract& contract, int32_t month);

// Months first..last, both included, with `first` where first_month_of() puts it, or earlier.
Result<std::map<int32_t, WorldMonth>> rate_world(const UsageTable& usage, ContractTerms terms,
                                                 int32_t first, int32_t last);

}  // namespace gauger::billing
