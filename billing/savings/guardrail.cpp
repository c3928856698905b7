#include "billing/savings/guardrail.h"

#include <algorithm>

namespace gauger::billing {
namespace {

Rational ratio(int64_t above, int64_t below) { return Rational::ratio(above, below); }

Rational positive(Rational value) { return value.is_negative() ? Rational() : std::move(value); }

int64_t roots_of(const SavingsFigures& figures) { return figures.ended() + figures.open; }

// What one more of something costs: the average of now, else of the baseline.
Rational average(const Rational& now, int64_t now_count, const Rational& before,
                 int64_t before_count) {
  if (now_count > 0) return now / Rational(Int128{now_count});
  if (before_count > 0) return before / Rational(Int128{before_count});
  return {};
}

void find_payback(const SavingsStatement& statement, int32_t index, ProgramSummary& summary) {
  std::map<int32_t, Rational> months;
  for (const auto& cell : statement.cells)
    if (cell.program == index) months[cell.month] += cell.figures.gross() - cell.figures.shadow;
  const auto& one_offs = statement.one_offs[static_cast<size_t>(index)];
  const auto spent_until = [&](int32_t month) {
    Rational spent;
    for (const auto& [when, amount] : one_offs)
      if (when <= month) spent += amount;
    return spent;
  };
  summary.spent = spent_until(statement.request.last_month);
  for (auto month = summary.program->go_live; month <= statement.request.last_month; ++month) {
    if (const auto found = months.find(month); found != months.end())
      summary.recovered += found->second;
    if (!summary.payback && summary.recovered >= spent_until(month)) summary.payback = month;
  }
}

}  // namespace

std::optional<Rational> acceptance_of(const SavingsFigures& figures) {
  if (figures.ended() <= 0) return std::nullopt;
  return ratio(figures.accepted, figures.ended());
}

Drift drift_of(const SavingsFigures& now, const SavingsFigures& baseline) {
  Drift drift;
  if (now.ended() <= 0 || baseline.ended() <= 0) return drift;
  const Rational ended(Int128{now.ended()});
  const Rational roots(Int128{roots_of(now)});
  const auto more_fallbacks =
      ratio(now.escalated, now.ended()) - ratio(baseline.escalated, baseline.ended());
  drift.fallbacks = positive(more_fallbacks) * ended *
                    positive(average(now.counterfactual_accepted, now.accepted,
                                     baseline.counterfactual_accepted, baseline.accepted));
  const auto more_retries =
      ratio(now.retries, roots_of(now)) - ratio(baseline.retries, roots_of(baseline));
  drift.retries =
      positive(more_retries) * roots *
      positive(average(now.retry_cost, now.retries, baseline.retry_cost, baseline.retries));
  const auto length = ratio(now.output_tokens, roots_of(now));
  const auto length_before = ratio(baseline.output_tokens, roots_of(baseline));
  if (length > length_before)
    drift.output = positive(now.counterfactual_output) * (length - length_before) / length;
  return drift;
}

std::vector<ProgramSummary> summarize(const SavingsStatement& statement) {
  std::vector<ProgramSummary> summaries;
  const auto first = statement.request.first_month;
  for (size_t i = 0; i < statement.programs.size(); ++i) {
    ProgramSummary summary;
    summary.program = &statement.programs[i];
    SavingsFigures baseline;
    for (const auto& cell : statement.cells) {
      if (cell.program != static_cast<int32_t>(i)) continue;
      if (statement.in_period(cell.month)) summary.figures += cell.figures;
      if (cell.month < first && cell.month >= first - drift_baseline_months &&
          cell.month >= summary.program->go_live)
        baseline += cell.figures;
    }
    summary.acceptance = acceptance_of(summary.figures);
    if (summary.acceptance)
      summary.qualification = *summary.acceptance < summary.program->acceptance_floor
                                  ? Qualification::unqualified
                                  : Qualification::qualified;
    summary.drift = drift_of(summary.figures, baseline);
    const auto eaten = summary.drift.eaten();
    summary.drift_alert =
        !eaten.is_zero() && eaten >= summary.figures.gross() * summary.program->alert_share;
    find_payback(statement, static_cast<int32_t>(i), summary);
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

}  // namespace gauger::billing
