#include "billing/contracts/allocation_document.h"

#include <map>
#include <unordered_map>

#include "billing/allocation.h"

namespace gauger::billing {
namespace {

UsageClass class_of(const Rated& rated, const Charge& charge) {
  const auto& key = rated.key(charge);
  return {std::string(rated.text(key.provider)),
          std::string(rated.text(key.model)),
          std::string(rated.text(key.region)),
          std::string(rated.text(key.accelerator)),
          key.service_tier,
          key.context_tier,
          std::string(rated.item_name(charge.item))};
}

std::map<std::string, Int128> team_totals(const ContractMonth& month) {
  std::map<std::string, Rational> exact;
  for (const auto& charge : month.rated.charges)
    exact[std::string(month.rated.text(month.rated.key(charge).team))] += charge.amount;
  std::vector<Rational> amounts;
  for (const auto& [team, amount] : exact) amounts.push_back(amount);
  const auto minor = apportion(amounts, month.total_minor, month.rated.currency);
  std::map<std::string, Int128> totals;
  size_t i = 0;
  for (const auto& [team, amount] : exact) totals.emplace(team, minor[i++]);
  return totals;
}

// Charges have few distinct (key, item) pairs against their number of classes; the strings of a
// class are built once per pair.
struct Classes {
  std::map<std::pair<uint32_t, uint32_t>, const UsageClass*> by_key;
  std::map<UsageClass, ClosingRate> rates;

  ClosingRate& rate_of(const Rated& rated, const Charge& charge) {
    auto& known = by_key[{charge.key, charge.item.value}];
    if (known == nullptr) known = &rates.try_emplace(class_of(rated, charge)).first->first;
    return rates.find(*known)->second;
  }
};

using Quantities = std::map<std::pair<std::string, UsageClass>, int64_t>;

Quantities quantities_of(const Rated& rated) {
  std::map<std::pair<uint32_t, uint32_t>, std::pair<const Charge*, int64_t>> by_key;
  for (const auto& charge : rated.charges) {
    if (charge.kind != ChargeKind::usage) continue;
    auto& [first, quantity] = by_key[{charge.key, charge.item.value}];
    if (first == nullptr) first = &charge;
    quantity += charge.quantity;
  }
  Quantities quantities;
  for (const auto& [where, sum] : by_key)
    quantities[{std::string(rated.text(rated.key(*sum.first).team)),
                class_of(rated, *sum.first)}] += sum.second;
  return quantities;
}

std::vector<ClosingRate> rates_of(const Rated& rated) {
  Classes classes;
  for (const auto& charge : rated.charges) {
    auto& rate = classes.rate_of(rated, charge);
    rate.amount += charge.amount;
    if (charge.kind == ChargeKind::usage) rate.quantity += charge.quantity;
  }
  std::vector<ClosingRate> rates;
  for (auto& [usage_class, rate] : classes.rates) {
    rate.usage_class = usage_class;
    if (rate.quantity > 0) rates.push_back(std::move(rate));
  }
  return rates;
}

const ClosingRate* find_rate(const std::vector<ClosingRate>& rates, const UsageClass& wanted) {
  for (const auto& rate : rates)
    if (rate.usage_class == wanted) return &rate;
  return nullptr;
}

}  // namespace

AllocationDocument allocate_month(const ContractMonth& month, const TimeZone& zone) {
  AllocationDocument allocation;
  allocation.contract = month.contract;
  allocation.version = month.version;
  allocation.month = month.month;
  allocation.period = month.period;
  allocation.currency = month.rated.currency;
  allocation.total = month.total;
  allocation.total_minor = month.total_minor;
  allocation.prepaid = month.prepaid;
  allocation.payable_minor = month.payable_minor;
  allocation.as_of_sequence = month.rated.as_of_sequence;
  allocation.teams = draft_invoices(month.rated, month.month, zone, team_totals(month));
  for (auto& [where, quantity] : quantities_of(month.rated))
    allocation.quantities.push_back({where.first, where.second, quantity});
  allocation.rates = rates_of(month.rated);
  return allocation;
}

std::vector<LateCharge> late_charges(const AllocationDocument& closed,
                                     std::span<const LateCharge> posted, const ContractMonth& now) {
  auto open = quantities_of(now.rated);
  for (const auto& quantity : closed.quantities)
    open[{quantity.team, quantity.usage_class}] -= quantity.quantity;
  Int128 residue = now.total_minor - closed.total_minor;
  for (const auto& charge : posted) {
    if (!charge.usage_class.item.empty())
      open[{charge.team, charge.usage_class}] -= charge.quantity;
    residue -= charge.amount_minor;
  }
  // A class that the closed month did not have pays what it costs now.
  const auto current = rates_of(now.rated);
  std::vector<LateCharge> late;
  for (const auto& [where, quantity] : open) {
    if (quantity == 0) continue;
    LateCharge charge{.team = where.first, .usage_class = where.second, .quantity = quantity};
    const auto* rate = find_rate(closed.rates, where.second);
    if (rate == nullptr) rate = find_rate(current, where.second);
    if (rate != nullptr)
      charge.amount_minor =
          round_total(rate->amount * Rational::ratio(quantity, rate->quantity), closed.currency);
    residue -= charge.amount_minor;
    late.push_back(std::move(charge));
  }
  if (residue != 0) late.push_back({.team = {}, .usage_class = {}, .amount_minor = residue});
  return late;
}

std::vector<InvoiceLine> lines_of(const AllocationDocument& allocation) {
  std::vector<InvoiceLine> lines;
  for (const auto& team : allocation.teams)
    lines.insert(lines.end(), team.lines.begin(), team.lines.end());
  return lines;
}

std::vector<InvoiceLine> lines_of(const AllocationDocument& closed,
                                  std::span<const LateCharge> late) {
  std::vector<InvoiceLine> lines;
  for (const auto& charge : late) {
    InvoiceLine line;
    line.team = charge.team;
    line.provider = charge.usage_class.provider;
    line.model = charge.usage_class.model;
    line.region = charge.usage_class.region;
    line.service_tier = charge.usage_class.service_tier;
    line.context_tier = charge.usage_class.context_tier;
    line.item = charge.usage_class.item;
    line.quantity = charge.quantity;
    line.rule.document = closed.contract;
    line.rule.version = closed.version;
    line.rule.item = line.item;
    line.rule.label = line.item.empty()
                          ? "residue of late usage of " + format_month(closed.month)
                          : "late usage at the closing rate of " + format_month(closed.month);
    line.amount_minor = charge.amount_minor;
    line.amount = Rational(closed.currency.from_minor(charge.amount_minor));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace gauger::billing
