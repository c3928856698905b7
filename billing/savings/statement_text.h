// A savings statement for people and programs: its cells added up by any of their dimensions.
// Amounts are rounded once per column and handed down to the lines by largest remainder; gross,
// net and the realized figures are sums of rounded columns, so that a table adds up both ways.
// Exact amounts stand in the JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "billing/savings/guardrail.h"
#include "billing/savings/statement.h"

namespace gauger::billing {

enum class SavingsDimension : uint8_t { month, program, student, team, project, workload };
inline constexpr std::array<std::string_view, 6> savings_dimension_names = {
    "month", "program", "student", "team", "project", "workload"};

// "team,workload"; invalid_argument names what it does not know.
Result<std::vector<SavingsDimension>> parse_savings_dimensions(std::string_view text);

struct SavingsLine {
  std::vector<std::string> texts;
  SavingsFigures figures;
};

// The lines of the period, in the order of their texts.
std::vector<SavingsLine> savings_lines(const SavingsStatement& statement,
                                       const std::vector<SavingsDimension>& by);
SavingsFigures savings_total(const SavingsStatement& statement);
// Problems of the period's months.
bool is_blocked(const SavingsStatement& statement);

std::string savings_table(const SavingsStatement& statement,
                          const std::vector<SavingsDimension>& by);
std::string savings_csv(const SavingsStatement& statement, const std::vector<SavingsDimension>& by);
std::string savings_json(const SavingsStatement& statement,
                         const std::vector<SavingsDimension>& by);

}  // namespace gauger::billing
