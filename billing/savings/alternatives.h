// The same usage at other providers: what each workload would cost there, with the other
// tokenizer's counts, and what has no price there. Pure.
#pragma once

#include "billing/savings/company_cost.h"
#include "billing/savings/program.h"

namespace gauger::billing {

struct AlternativeCost {
  std::string workload;
  std::string provider;  // of today
  std::string model;
  std::string alternative;  // its id; empty: what it costs today
  int64_t requests = 0;
  Rational amount;                // pico-units
  std::vector<std::string> gaps;  // in sentences; with any of them it is not the cheapest
  bool cheapest = false;
};

// Lines by workload and model; today's first, then by cost. Only models that have an alternative.
Result<std::vector<AlternativeCost>> price_alternatives(const UsageTable& usage,
                                                        const CompanyTerms& terms,
                                                        std::span<const Alternative> alternatives,
                                                        MonthRange months);

}  // namespace gauger::billing
