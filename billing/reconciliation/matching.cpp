#include "billing/reconciliation/matching.h"

#include "billing/reconciliation/rules/rules.h"
#include "schemas/verify.h"

namespace gauger::billing {

Matched match(const Grain& grain, std::span<const Statement> statements,
              const Tolerance& tolerance) {
  OpenDifferences open(grain, statements, tolerance);
  const auto matched_cells = grain.cells.size() - open.size();
  explain_taxes(open);
  explain_fees(open);
  explain_outside_coverage(open);
  explain_repeated_references(open);
  explain_small_amounts(open, true);
  explain_cut_off(open);
  explain_tiers(open);
  explain_cache_classes(open);
  explain_overlaps(open);
  explain_duplicates(open);
  explain_small_amounts(open, false);
  explain_missing(open);
  explain_currencies(open);
  explain_rates(open);
  name_quantities(open);
  auto matched = std::move(open).finish(matched_cells);

  Rational difference;
  for (const auto& cell : grain.cells) difference += cell.statement_amount - cell.ledger_amount;
  for (const auto& variance : matched.variances) difference -= variance.amount();
  VERIFY(difference.is_zero(), "variances add up to the difference of the totals");
  return matched;
}

}  // namespace gauger::billing
