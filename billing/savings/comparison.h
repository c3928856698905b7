// The same usage under two sets of terms: what each team, workload and model would cost under
// both, and where compute-hours and tokens cost the same. Exact; pure.
#pragma once

#include <optional>

#include "billing/savings/company_cost.h"
#include "billing/savings/program.h"

namespace gauger::billing {

struct ComparedCost {
  Rational amount;        // pico-units
  Rational compute_part;  // of it for compute time
  int64_t unpriced = 0;   // units without a price
};

struct ComparedLine {
  std::vector<std::string> texts;
  int64_t requests = 0;
  Int128 tokens = 0;
  Int128 compute_us = 0;
  ComparedCost a;
  ComparedCost b;

  Rational delta() const { return b.amount - a.amount; }
  // Tokens per compute-hour that were reached, and at which both sides would cost the same: above
  // it hours are cheaper. Only where one side bills time and the other tokens.
  std::optional<Rational> tokens_per_hour() const;
  std::optional<Rational> break_even() const;
};

struct Comparison {
  Currency currency;
  std::vector<ComparedLine> lines;  // by their texts
  ComparedLine total;
  uint64_t as_of_sequence = 0;
};

Result<Comparison> compare_terms(const UsageTable& usage, const CompanyTerms& a,
                                 const CompanyTerms& b, MonthRange months,
                                 std::span<const CostDimension> by);

// Fills in the compute time that nobody measured: tokens of a programme's teacher by its compute
// profile, rounded up to the microsecond. Rows of other models stay as they are.
Result<UsageTable> with_compute_profiles(UsageTable usage, std::span<const Program> programs);

}  // namespace gauger::billing
