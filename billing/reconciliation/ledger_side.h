// Our side of a reconciliation: a provider's usage rated by day, under the contracts that cover it,
// or a price book where there are none. Pure.
#pragma once

#include <span>
#include <vector>

#include "billing/contracts/contract_rating.h"
#include "billing/reconciliation/statement.h"

namespace gauger::billing {

struct LedgerTerms {
  std::span<const Contract> contracts;
  PriceBooks books;
  std::span<const CapacityRecords> capacity = {};
};

// The days whose usage is needed to rate `days`: the whole months that a contract charges by.
DayRange days_to_rate(const TimeZone& zone, DayRange days, const LedgerTerms& terms);

// `usage` holds those days. Usage that no contract covers is unpriced. Without contracts there is
// exactly one book, and it applies to all. invalid_argument where a contract's zone is not the
// statement's: its months would not be made of the statement's days.
Result<std::vector<Rated>> rate_by_day(const UsageTable& usage, std::string_view provider,
                                       const TimeZone& zone, DayRange days,
                                       const LedgerTerms& terms);

}  // namespace gauger::billing
