#include "exporters/accounting/cost_views.h"

namespace gauger::exporters {
namespace {

Result<billing::CostView> view_of(const RatedMonth& rated, size_t index,
                                  const std::string& wanted_policy,
                                  const std::string& wanted_currency) {
  const auto& allocation = rated.company.allocations[index];
  const billing::Contract* contract = nullptr;
  for (const auto& one : rated.terms.company.contracts)
    if (one.id == allocation.contract) contract = &one;
  VERIFY(contract != nullptr, "an allocation is of one of the contracts");
  TRY(const auto policy, billing::find_policy(rated.terms, wanted_policy));
  TRY(const auto charges, billing::charge_month(rated.usage, rated.terms.company.of(*contract),
                                                rated.company.month, policy));
  if (wanted_currency.empty()) return billing::view_cost(allocation, charges, policy.id);
  TRY(const auto currency, billing::Currency::find(wanted_currency));
  // The rate of the period is that of its last instant.
  TRY(const auto rate, billing::freeze_rate(rated.terms.exchange_rates, allocation.currency,
                                            currency, allocation.period.until - Duration{1}));
  return billing::view_cost(allocation, charges, policy.id, rate);
}

}  // namespace

Result<std::vector<billing::CostView>> cost_views(const RatedMonth& rated,
                                                  const std::string& policy,
                                                  const std::string& currency) {
  std::vector<billing::CostView> views;
  for (size_t i = 0; i < rated.company.allocations.size(); ++i) {
    TRY(auto view, view_of(rated, i, policy, currency));
    views.push_back(std::move(view));
  }
  return views;
}

std::string costs_text(const RatedMonth& rated, const std::vector<billing::CostView>& views) {
  std::string text;
  for (const auto& view : views) text += (text.empty() ? "" : "\n") + billing::cost_table(view);
  if (!rated.company.uncontracted.empty()) text += "\nno contract covers\n";
  billing::Rated names;
  names.strings = rated.usage.strings;
  names.keys = rated.usage.keys;
  for (const auto& open : rated.company.uncontracted) {
    const auto team = rated.usage.text(rated.usage.keys[open.key].team);
    text += "  " + (team.empty() ? std::string(billing::unallocated) : std::string(team)) + ": " +
            billing::unpriced_sentence(names, open) + "\n";
  }
  return text;
}

}  // namespace gauger::exporters
