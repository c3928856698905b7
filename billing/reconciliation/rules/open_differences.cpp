#include "billing/reconciliation/rules/open_differences.h"

#include <algorithm>

namespace gauger::billing {
namespace {

Rational magnitude(const Rational& value) { return value.is_negative() ? -value : value; }

}  // namespace

OpenDifferences::OpenDifferences(const Grain& grain, std::span<const Statement> statements,
                                 Tolerance tolerance)
    : grain_(grain), statements_(statements), tolerance_(std::move(tolerance)) {
  for (uint32_t i = 0; i < grain.cells.size(); ++i) {
    const auto& cell = grain.cells[i];
    const auto quantity = cell.statement_quantity - cell.ledger_quantity;
    const auto amount = cell.statement_amount - cell.ledger_amount;
    if (quantity.is_zero() && amount.is_zero()) continue;
    open_.push_back({i, quantity, amount - quantity * cell.price});
  }
}

std::span<const CellLine> OpenDifferences::lines_of(size_t index) const {
  const auto cell = open_[index].cell;
  const auto [begin, end] =
      std::equal_range(grain_.lines.begin(), grain_.lines.end(), CellLine{cell, 0, 0},
                       [](const CellLine& a, const CellLine& b) { return a.cell < b.cell; });
  return {begin, end};
}

Rational OpenDifferences::amount(size_t index) const {
  const auto& open = open_[index];
  return open.quantity * cell(index).price + open.price_effect;
}

bool OpenDifferences::is_small(size_t index, const Rational& amount) const {
  const auto size = magnitude(amount);
  return size <= tolerance_.absolute ||
         size <= tolerance_.relative * magnitude(cell(index).ledger_amount);
}

bool OpenDifferences::has_quantity(size_t index) const {
  return !open_[index].quantity.is_zero() && key(index).kind == LineKind::usage &&
         key(index).outside == Outside::no;
}

void OpenDifferences::begin(VarianceClass variance_class, Evidence evidence, Rational figure) {
  Variance variance;
  variance.variance_class = variance_class;
  variance.evidence = evidence;
  variance.figure = std::move(figure);
  variance.parts_begin = static_cast<uint32_t>(matched_.parts.size());
  matched_.variances.push_back(std::move(variance));
}

// By value: callers hand in what is left of the cell itself.
void OpenDifferences::take_quantity(size_t index, Rational quantity) {
  open_[index].quantity -= quantity;
  add(index, quantity, quantity * cell(index).price, Rational());
}

void OpenDifferences::take_price(size_t index) { take_price(index, open_[index].price_effect); }

void OpenDifferences::take_price(size_t index, Rational effect) {
  open_[index].price_effect -= effect;
  add(index, Rational(), Rational(), effect);
}

void OpenDifferences::take_all(size_t index, bool as_price) {
  auto& open = open_[index];
  const auto quantity = open.quantity;
  const auto price_effect = open.price_effect;
  open.quantity = Rational();
  open.price_effect = Rational();
  const auto quantity_effect = quantity * cell(index).price;
  if (as_price)
    add(index, Rational(), Rational(), quantity_effect + price_effect);
  else
    add(index, quantity, quantity_effect, price_effect);
}

void OpenDifferences::add(size_t index, const Rational& quantity, const Rational& quantity_effect,
                          const Rational& price_effect) {
  auto& variance = matched_.variances.back();
  variance.quantity_effect += quantity_effect;
  variance.price_effect += price_effect;
  ++variance.parts_count;
  matched_.parts.push_back({open_[index].cell, quantity, quantity_effect, price_effect});
}

Matched OpenDifferences::finish(uint64_t matched_cells) && {
  matched_.matched_cells = matched_cells;
  const auto size = [](const Variance& variance) {
    return std::max(magnitude(variance.amount()), magnitude(variance.quantity_effect));
  };
  std::stable_sort(matched_.variances.begin(), matched_.variances.end(),
                   [&](const Variance& a, const Variance& b) {
                     if (a.variance_class != b.variance_class)
                       return a.variance_class < b.variance_class;
                     return size(b) < size(a);
                   });
  return std::move(matched_);
}

}  // namespace gauger::billing
