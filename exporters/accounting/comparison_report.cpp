#include "exporters/accounting/comparison_report.h"

#include <fmt/format.h>

#include "billing/allocation.h"
#include "billing/savings/statement_text.h"

namespace gauger::exporters {

using billing::Currency;
using billing::Rational;

std::string money_text(const Currency& currency, const Rational& pico) {
  return currency.format_minor(billing::round_total(pico, currency));
}

std::string whole_text(const std::optional<Rational>& value) {
  return value ? to_string(value->rounded(billing::Rounding::half_even)) : "";
}

namespace {

void add_line(ReportTable& report, const Currency& currency, std::vector<std::string> cells,
              const billing::ComparedLine& line) {
  const auto share =
      line.a.amount.is_zero() ? "" : billing::percent_text(line.delta() / line.a.amount);
  cells.insert(cells.end(),
               {std::to_string(line.requests), to_string(line.tokens),
                fmt::format("{}", to_string(line.compute_us / 1'000'000)),
                money_text(currency, line.a.amount), money_text(currency, line.b.amount),
                money_text(currency, line.delta()), share, whole_text(line.tokens_per_hour()),
                whole_text(line.break_even()),
                line.a.unpriced == 0 && line.b.unpriced == 0
                    ? ""
                    : fmt::format("{} / {}", line.a.unpriced, line.b.unpriced)});
  report.rows.push_back(std::move(cells));
}

}  // namespace

ReportTable comparison_report(const billing::Comparison& comparison,
                              const std::vector<billing::CostDimension>& by) {
  ReportTable report;
  for (const auto dimension : by)
    report.columns.push_back(
        {std::string(billing::cost_dimension_names[static_cast<size_t>(dimension)])});
  for (const auto* name : {"requests", "tokens", "compute_seconds", "a", "b", "difference",
                           "difference_share", "tokens_per_hour", "break_even", "unpriced"})
    report.columns.push_back({name, true});
  for (const auto& line : comparison.lines) add_line(report, comparison.currency, line.texts, line);
  if (!by.empty()) {
    std::vector<std::string> cells(by.size());
    cells.front() = "total";
    add_line(report, comparison.currency, std::move(cells), comparison.total);
  }
  report.facts = {{"currency", comparison.currency.code()},
                  {"as_of_sequence", std::to_string(comparison.as_of_sequence)}};
  report.notes.push_back(fmt::format("amounts in {}, complete to journal block {}",
                                     comparison.currency.code(), comparison.as_of_sequence));
  return report;
}

}  // namespace gauger::exporters
