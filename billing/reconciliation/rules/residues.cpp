// What is left when nothing moved and nothing was repeated: one side has nothing, the price
// differs, the currency differs, or the quantity just differs.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "billing/reconciliation/rules/rules.h"

namespace gauger::billing {
namespace {

// Cells that one price applies to, and how that price differs.
using RateKey = std::tuple<TextId, TextId, TextId, int64_t, Evidence, Rational>;

RateKey rate_key(const CellKey& key, Evidence evidence, const Rational& ratio) {
  return {key.model, key.service_tier, key.token_class, key.context_above, evidence, ratio};
}

using RateGroups = std::map<RateKey, std::vector<size_t>>;

// Amounts alone do not say whether quantity or price differs; the same ratio on several cells of
// one price does.
void explain_constant_ratios(OpenDifferences& open) {
  RateGroups groups;
  for (const auto index : open.select([&](size_t i) { return open.has_quantity(i); })) {
    const auto& cell = open.cell(index);
    if (cell.quantity_told || cell.ledger_amount.is_zero() || cell.statement_amount.is_zero())
      continue;
    if (open.amount(index) != cell.statement_amount - cell.ledger_amount) continue;
    groups[rate_key(cell.key, Evidence::constant_ratio, cell.statement_amount / cell.ledger_amount)]
        .push_back(index);
  }
  for (const auto& [what, cells] : groups) {
    if (cells.size() < 2) continue;
    open.begin(VarianceClass::rate, Evidence::constant_ratio, std::get<Rational>(what));
    for (const auto index : cells) open.take_all(index, true);
  }
}

// Their quantity at our price.
Rational worth(const Cell& cell) { return cell.statement_quantity * cell.price; }

// What most of the cells have in common: theirs over ours, at the same quantity.
std::optional<Rational> common_ratio(const OpenDifferences& open,
                                     const std::vector<size_t>& cells) {
  std::map<Rational, size_t> counted;
  for (const auto index : cells) {
    const auto& cell = open.cell(index);
    if (!worth(cell).is_zero()) ++counted[cell.statement_amount / worth(cell)];
  }
  const auto most =
      std::max_element(counted.begin(), counted.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == counted.end() || most->second < 2 || most->second * 2 <= cells.size())
    return std::nullopt;
  return most->first;
}

}  // namespace

void explain_missing(OpenDifferences& open) {
  for (const auto index : open.select([&](size_t i) {
         return open.key(i).outside == Outside::no && open.key(i).kind != LineKind::tax;
       })) {
    const auto& cell = open.cell(index);
    if (cell.on_statement == cell.in_ledger) continue;
    // Without a quantity left there is only a price to explain, unless nobody knows the price.
    const bool by_price = cell.key.kind != LineKind::usage ||
                          (open.at(index).quantity.is_zero() && !cell.has_price && !cell.in_ledger);
    if (by_price ? open.at(index).price_effect.is_zero() : open.at(index).quantity.is_zero())
      continue;
    if (!cell.on_statement && open.amount(index).is_zero() && !cell.unpriced) {
      // Free of charge, and so not billed: the quantity is nobody's money.
      open.begin(VarianceClass::within_tolerance, Evidence::tolerance);
      open.take_all(index);
      continue;
    }
    open.begin(
        cell.on_statement ? VarianceClass::missing_in_ledger : VarianceClass::missing_on_statement,
        Evidence::absent);
    if (by_price)
      open.take_price(index);
    else
      open.take_quantity(index, open.at(index).quantity);
  }
}

void explain_currencies(OpenDifferences& open) {
  // What a provider converts on one day it converts at one rate.
  std::map<std::tuple<TextId, int32_t>, std::vector<size_t>> groups;
  for (const auto index : open.select(
           [&](size_t i) { return open.cell(i).foreign && !open.at(i).price_effect.is_zero(); }))
    groups[{open.cell(index).foreign_currency, open.key(index).day}].push_back(index);
  for (const auto& [what, cells] : groups) {
    const auto ratio = common_ratio(open, cells);
    open.begin(VarianceClass::currency, Evidence::other_currency, ratio.value_or(Rational()));
    for (const auto index : cells) {
      const auto& cell = open.cell(index);
      // What differs beyond the conversion is left: the price may differ too.
      if (ratio && !worth(cell).is_zero())
        open.take_price(index, worth(cell) * (*ratio - Rational(Int128{1})));
      else
        open.take_price(index);
    }
  }
}

void explain_rates(OpenDifferences& open) {
  RateGroups groups;
  std::vector<size_t> small;
  for (const auto index :
       open.select([&](size_t i) { return !open.at(i).price_effect.is_zero(); })) {
    const auto& cell = open.cell(index);
    if (!cell.unpriced && open.is_small(index, open.at(index).price_effect)) {
      small.push_back(index);
      continue;
    }
    const auto evidence = cell.unpriced ? Evidence::unpriced : Evidence::unit_price;
    Rational ratio;
    if (!cell.price.is_zero() && !cell.statement_quantity.is_zero())
      ratio = cell.statement_amount / cell.statement_quantity / cell.price;
    groups[rate_key(cell.key, evidence, ratio)].push_back(index);
  }
  for (const auto index : small) {
    open.begin(VarianceClass::within_tolerance, Evidence::tolerance);
    open.take_price(index);
  }
  for (const auto& [what, cells] : groups) {
    open.begin(VarianceClass::rate, std::get<Evidence>(what), std::get<Rational>(what));
    for (const auto index : cells) open.take_price(index);
  }
  explain_constant_ratios(open);
}

void name_quantities(OpenDifferences& open) {
  for (const auto index : open.select([&](size_t i) {
         return !open.at(i).quantity.is_zero() || !open.at(i).price_effect.is_zero();
       })) {
    open.begin(VarianceClass::quantity, Evidence::nothing_else);
    open.take_all(index);
  }
}

}  // namespace gauger::billing
