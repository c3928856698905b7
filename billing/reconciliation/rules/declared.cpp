// Rules whose evidence is what the statement itself says: its coverage, the kind of a line.
#include <map>
#include <set>

#include "billing/reconciliation/rules/rules.h"

namespace gauger::billing {

void explain_outside_coverage(OpenDifferences& open) {
  // One variance per reason, account, tier and class: not one per day.
  std::map<std::tuple<Outside, TextId, TextId, TextId, TextId>, std::vector<size_t>> groups;
  for (const auto index :
       open.select([&](size_t i) { return open.key(i).outside != Outside::no; })) {
    const auto& key = open.key(index);
    groups[{key.outside, key.account, key.model, key.service_tier, key.token_class}].push_back(
        index);
  }
  for (const auto& [what, cells] : groups) {
    open.begin(VarianceClass::outside_coverage, Evidence::declared);
    for (const auto index : cells) open.take_all(index);
  }
}

void explain_fees(OpenDifferences& open) {
  // What the ledger meters of this provider, anywhere in these days.
  std::set<TextId> metered;
  for (const auto& cell : open.grain().cells)
    if (cell.in_ledger) metered.insert(cell.key.token_class);
  const auto& texts = open.grain().texts;
  const auto is_fee = [&](size_t i) {
    const auto& cell = open.cell(i);
    if (cell.key.kind == LineKind::fee) return cell.on_statement;
    if (cell.key.kind != LineKind::usage || cell.in_ledger || !cell.amount_told) return false;
    return !metered.contains(cell.key.token_class) &&
           !find_meter(texts.text(cell.key.token_class)) &&
           texts.text(cell.key.token_class) != "everything" && !cell.foreign;
  };
  std::map<std::pair<LineKind, TextId>, std::vector<size_t>> groups;
  for (const auto index : open.select(is_fee))
    groups[{open.key(index).kind, open.key(index).token_class}].push_back(index);
  for (const auto& [what, cells] : groups) {
    open.begin(VarianceClass::provider_only_fee,
               what.first == LineKind::fee ? Evidence::declared : Evidence::not_metered);
    for (const auto index : cells) open.take_all(index, true);
  }
}

void explain_taxes(OpenDifferences& open) {
  for (const auto index :
       open.select([&](size_t i) { return open.key(i).kind == LineKind::tax; })) {
    open.begin(VarianceClass::tax, Evidence::declared);
    open.take_all(index);
  }
}

void explain_small_amounts(OpenDifferences& open, bool only_amounts_told) {
  const auto is_small = [&](size_t i) {
    const auto& cell = open.cell(i);
    if (cell.key.outside != Outside::no || cell.key.kind == LineKind::tax || cell.foreign)
      return false;
    if (only_amounts_told && cell.quantity_told) return false;
    if (open.at(i).quantity.is_zero() && open.at(i).price_effect.is_zero()) return false;
    // Without a price of ours the amount says nothing about the quantity.
    if (!open.at(i).quantity.is_zero() && cell.price.is_zero()) return false;
    return open.is_small(i, open.amount(i));
  };
  for (const auto index : open.select(is_small)) {
    open.begin(VarianceClass::within_tolerance, Evidence::tolerance);
    open.take_all(index);
  }
}

}  // namespace gauger::billing
