#include "billing/reconciliation/reconciliation.h"

#include <algorithm>

namespace gauger::billing {
namespace {

Rational magnitude(const Rational& value) { return value.is_negative() ? -value : value; }

void add_classes(Reconciliation& result) {
  for (const auto& variance : result.matched.variances) {
    if (result.classes.empty() || result.classes.back().variance_class != variance.variance_class)
      result.classes.emplace_back().variance_class = variance.variance_class;
    auto& total = result.classes.back();
    ++total.variances;
    total.cells += variance.parts_count;
    total.quantity_effect += variance.quantity_effect;
    total.price_effect += variance.price_effect;
    for (const auto& part : result.matched.parts_of(variance))
      total.gross += magnitude(part.quantity_effect) + magnitude(part.price_effect);
  }
}

Shares shares_of(const Reconciliation& result) {
  Rational billed;
  for (const auto& cell : result.grain.cells) billed += magnitude(cell.statement_amount);
  std::vector<bool> differs(result.grain.cells.size(), false);
  Rational explained;
  Rational all;
  for (const auto& total : result.classes) {
    if (total.variance_class == VarianceClass::within_tolerance) continue;
    all += total.gross;
    if (is_explained(total.variance_class)) explained += total.gross;
  }
  Rational differing;
  for (const auto& variance : result.matched.variances) {
    if (variance.variance_class == VarianceClass::within_tolerance) continue;
    for (const auto& part : result.matched.parts_of(variance)) {
      if (!differs[part.cell])
        differing += magnitude(result.grain.cells[part.cell].statement_amount);
      differs[part.cell] = true;
    }
  }
  const auto whole = Rational(Int128{1});
  return {billed.is_zero() ? whole : (billed - differing) / billed,
          all.is_zero() ? whole : explained / all};
}

}  // namespace

Result<Reconciliation> reconcile(const GrainInput& input) {
  Reconciliation result;
  TRY(result.grain, put_on_grain(input));
  for (const auto& statement : input.statements) result.statements.push_back(statement.id());
  const auto tolerance = input.mapping == nullptr ? default_tolerance() : input.mapping->tolerance;
  result.matched = match(result.grain, input.statements, tolerance);
  for (const auto& cell : result.grain.cells) {
    result.statement_total += cell.statement_amount;
    result.ledger_total += cell.ledger_amount;
  }
  add_classes(result);
  result.shares = shares_of(result);
  return result;
}

}  // namespace gauger::billing
