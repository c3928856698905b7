#include "billing/savings/company_cost.h"

#include <algorithm>

#include "billing/savings/contract_world.h"
#include "billing/savings/counterfactual.h"

namespace gauger::billing {
namespace {

void take(const ContractMonth& month, uint32_t contract, size_t keys, CompanyCost& cost) {
  for (const auto& charge : month.rated.charges) {
    if (charge.kind == ChargeKind::true_up) continue;  // counted month by month
    cost.charges.push_back({month.month, contract, charge.key < keys ? charge.key : no_usage_key,
                            charge.kind, charge.item, charge.quantity, charge.amount});
  }
  for (const auto& unpriced : month.rated.unpriced)
    cost.gaps.push_back({month.month, unpriced.key, unpriced.quantity,
                         "no price for " + std::string(month.rated.item_name(unpriced.item)) +
                             " (" + std::string(to_string(unpriced.reason)) + ")"});
}

}  // namespace

Rational CompanyCost::total() const {
  Rational sum;
  for (const auto& charge : charges) sum += charge.amount;
  return sum;
}

Result<TimeZone> common_zone(std::span<const Contract> contracts) {
  if (contracts.empty()) return invalid_argument("there is no contract");
  for (const auto& contract : contracts)
    if (contract.zone.name() != contracts.front().zone.name())
      return invalid_argument(contract.file + ": the months of the contract " + contract.id +
                              " are those of " + contract.zone.name() + ", the months of " +
                              contracts.front().id + " those of " + contracts.front().zone.name() +
                              "; a report needs one calendar");
  return contracts.front().zone;
}

Result<CompanyCost> company_cost(const UsageTable& usage, const CompanyTerms& terms,
                                 MonthRange months, bool overage_at_average) {
  TRY(check_contracts(terms.contracts));
  TRY(const auto zone, common_zone(terms.contracts));
  CompanyCost cost;
  cost.currency = terms.contracts.front().currency;
  for (const auto& contract : terms.contracts)
    if (contract.currency != cost.currency)
      return invalid_argument(contract.file + ": the contract " + contract.id + " is in " +
                              contract.currency.code() + ", " + terms.contracts.front().id +
                              " in " + cost.currency.code() + "; a report has one currency");
  for (uint32_t i = 0; i < terms.contracts.size(); ++i) {
    auto contract_of = contract_terms(terms, i);
    contract_of.overage_at_average = overage_at_average;
    auto first = months.first;
    for (auto month = months.first; month <= months.last; ++month)
      first = std::min(first, first_month_of(contract_of.contract, month));
    TRY(const auto world, rate_world(usage, contract_of, first, months.last));
    for (const auto& [month, rated] : world) {
      if (!months.contains(month)) continue;
      const auto before = cost.charges.size();
      take(rated.rated, i, usage.keys.size(), cost);
      Rational charged;
      for (size_t at = before; at < cost.charges.size(); ++at) charged += cost.charges[at].amount;
      if (const auto missing = rated.total - charged; !missing.is_zero())
        cost.charges.push_back(
            {month, i, no_usage_key, ChargeKind::true_up, item_requests, 0, missing});
    }
  }
  for (const auto& open :
       uncontracted(usage, terms.contracts,
                    {zone.month_begin(months.first), zone.month_begin(months.last + 1)}))
    cost.gaps.push_back({zone.local_month(open.from), open.key, open.quantity,
                         "no contract covers the provider account"});
  return cost;
}

Result<std::vector<CostDimension>> parse_cost_dimensions(std::string_view text) {
  std::vector<CostDimension> by;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto found = find_name<CostDimension>(cost_dimension_names, name);
    if (!found)
      return invalid_argument("'" + std::string(name) +
                              "' is none of team, project, workload, program, provider, model");
    if (std::find(by.begin(), by.end(), *found) == by.end()) by.push_back(*found);
  }
  return by;
}

std::vector<std::string> texts_of(const UsageTable& usage, uint32_t key,
                                  std::span<const CostDimension> by) {
  std::vector<std::string> texts(by.size());
  if (key == no_usage_key) return texts;
  const auto& found = usage.keys[key];
  for (size_t i = 0; i < by.size(); ++i) {
    const auto id = [&] {
      switch (by[i]) {
        case CostDimension::team: return found.team;
        case CostDimension::project: return found.project;
        case CostDimension::workload: return found.workload;
        case CostDimension::program: return found.program;
        case CostDimension::provider: return found.provider;
        case CostDimension::model: return found.model;
      }
      return StringId{};
    }();
    texts[i] = usage.text(id);
  }
  return texts;
}

Int128 tokens_of(const Counts& counts) {
  Int128 sum = 0;
  for (size_t i = 0; i < token_meter_count; ++i) sum += counts[i];
  return sum;
}

}  // namespace gauger::billing
