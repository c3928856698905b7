// Why a period cost more or less than another one: the difference of two costs as a sum of
// effects, found by re-rating step by step, each on top of those before:
//
//   volume        every group with as many more requests as there were in all
//   intensity     each group's tokens per request, at base prices
//   mix           which groups the requests went to, at base prices
//   substitution  the part of the mix that is students instead of their teachers
//   price         the same usage at the prices of the later period, in the same kind of regime
//   regime        what is billed by another kind of regime than it was in the base period
//   idle and minimums   capacity that nobody used, commitments, credit that expired
//
// A group is team, workload, programme, provider, account, model, region, accelerator, service and
// context tier. What had no price in the base period counts in the mix, at its own price. Usage of
// the later period is moved to the same day and time of the base month to be priced. The effects
// add up to the difference exactly. Pure.
#pragma once

#include "billing/savings/company_cost.h"
#include "billing/savings/program.h"

namespace gauger::billing {

struct Bridge {
  Currency currency;
  Rational base;  // cost of the first period; pico-units
  Rational volume;
  Rational intensity;
  Rational mix;
  Rational substitution;
  Rational price;
  Rational regime;
  Rational idle_and_minimums;
  Rational later;  // cost of the second period
  std::vector<CompanyCost::Gap> gaps;
  uint64_t as_of_sequence = 0;
};

// `usage` holds both periods. Programmes say which models substitute which, and time the tokens
// of teachers where a regime by compute time needs it.
Result<Bridge> bridge_between(const UsageTable& usage, const CompanyTerms& terms,
                              std::span<const Program> programs, MonthRange base, MonthRange later);

}  // namespace gauger::billing
