// Cost and charge of a contract's month side by side: what each team's usage costs, by kind of
// charge, and what the team pays under a chargeback policy. In minor units, so that every column
// adds up: teams + `unallocated` + tax = the provider's bill, and charge - cost is the margin of
// the platform. Pure text and values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/chargeback/chargeback.h"
#include "billing/chargeback/exchange_rates.h"

namespace gauger::billing {

struct CostRow {
  std::string team;  // `unallocated` for what has none
  std::array<Int128, charge_kind_names.size()> by_kind_minor{};
  Int128 cost_minor = 0;    // the sum of the kinds
  Int128 charge_minor = 0;  // what the team pays
};

struct CostView {
  std::string contract;
  std::string version;
  int32_t month = 0;
  std::string zone;
  Currency currency;
  std::string policy;         // its id
  std::vector<CostRow> rows;  // teams by name, then `unallocated`
  CostRow total;
  std::optional<Int128> tax_minor;  // of the statement; outside of cost
  Int128 payable_minor = 0;         // total without what prepaid credit covers
  std::vector<PrepaidDraw> prepaid;
  std::vector<Blocker> blockers;      // what the cost does not hold, or holds by estimate
  std::optional<FrozenRate> rate;     // what it was converted with
  std::vector<TermsReference> terms;  // what it rests on
  uint64_t as_of_sequence = 0;
};

// `charges` is what the policy charges each team, in the allocation's currency.
CostView view_cost(const AllocationDocument& allocation, const ChargeView& charges,
                   std::string_view policy);

// Both views in another currency. Each total is rounded once and handed down; prepaid credit and
// what is payable stay out, since they are paid in the contract's currency.
CostView view_cost(AllocationDocument allocation, ChargeView charges, std::string_view policy,
                   const FrozenRate& rate);

std::string cost_table(const CostView& view);
std::string cost_csv(const std::vector<CostView>& views);
std::string cost_json(const std::vector<CostView>& views);

}  // namespace gauger::billing
