// A reconciliation: a provider's statements beside what the ledger metered and rated, every
// difference with a class, an amount and its evidence, and how much of it all is explained.
//
//   TRY(const auto result, reconcile(input));
//   reconciliation_table(result, 20);
//
// Exact: ledger total + the variances = statement total, to the last digit. The result depends on
// nothing but its input. Pure; values.
#pragma once

#include "billing/reconciliation/matching.h"

namespace gauger::billing {

struct ClassTotal {
  VarianceClass variance_class = VarianceClass::quantity;
  int64_t variances = 0;
  int64_t cells = 0;
  Rational quantity_effect;
  Rational price_effect;
  Rational gross;  // magnitudes added up, cell by cell

  Rational amount() const { return quantity_effect + price_effect; }
};

// Of the two, the first is of money, the second of differences; both are between 0 and 1.
struct Shares {
  Rational matched;    // of what the statement bills, what is equal or within tolerance
  Rational explained;  // of the differences, those whose class says why
};

struct Reconciliation {
  Grain grain;
  Matched matched;
  std::vector<std::string> statements;  // ids
  Rational statement_total;
  Rational ledger_total;
  std::vector<ClassTotal> classes;  // those that occur, in the order of the rules
  Shares shares;

  Rational difference() const { return statement_total - ledger_total; }
};

Result<Reconciliation> reconcile(const GrainInput& input);

// "98.7654 %", rounded down: what says 100 % is all of it.
std::string share_text(const Rational& share);

// At most `limit` variances are listed, the largest of each class first; totals count all.
std::string reconciliation_table(const Reconciliation& reconciliation, size_t limit);
std::string reconciliation_json(const Reconciliation& reconciliation, size_t limit);
// One row per variance and cell.
std::string reconciliation_csv(const Reconciliation& reconciliation);
// The same for the provider: what it bills above our figures, and nothing of our teams.
std::string dispute_csv(const Reconciliation& reconciliation);

}  // namespace gauger::billing
