// The guardrail of a programme: is its saving qualified, and what does drift eat of it.
//
// Acceptance below the floor makes a period's savings unqualified. Drift is measured against the
// months before: more fallbacks (each loses what an accepted request was worth), more retries
// (each costs what a retry costs), and longer answers, which make the counterfactual larger than
// the work was. Only what got worse counts. Exact; pure.
#pragma once

#include <optional>

#include "billing/savings/statement.h"

namespace gauger::billing {

// Months before the period whose average is the baseline.
inline constexpr int32_t drift_baseline_months = 3;

// Accepted of all that ended; nothing where nothing did.
std::optional<Rational> acceptance_of(const SavingsFigures& figures);

struct Drift {
  Rational fallbacks;  // pico-units, not below zero
  Rational retries;
  Rational output;
  Rational eaten() const { return fallbacks + retries + output; }
};
Drift drift_of(const SavingsFigures& now, const SavingsFigures& baseline);

enum class Qualification : uint8_t { qualified, unqualified, no_requests };
inline constexpr std::array<std::string_view, 3> qualification_names = {"qualified", "unqualified",
                                                                        "no_requests"};
constexpr std::string_view to_string(Qualification qualification) {
  return qualification_names[static_cast<size_t>(qualification)];
}

// One programme in the statement's period.
struct ProgramSummary {
  const Program* program = nullptr;
  SavingsFigures figures;
  std::optional<Rational> acceptance;
  Qualification qualification = Qualification::no_requests;
  Drift drift;
  bool drift_alert = false;
  Rational spent;                  // one-offs until the end of the period
  Rational recovered;              // gross less shadow, since the first month
  std::optional<int32_t> payback;  // the first month in which the one covers the other
};

std::vector<ProgramSummary> summarize(const SavingsStatement& statement);

}  // namespace gauger::billing
