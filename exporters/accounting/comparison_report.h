// Two sets of terms side by side, as rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/savings/comparison.h"
#include "exporters/accounting/report_table.h"

namespace gauger::exporters {

// Rounded to the currency's minor unit.
std::string money_text(const billing::Currency& currency, const billing::Rational& pico);
// Rounded to a whole number; empty where there is none.
std::string whole_text(const std::optional<billing::Rational>& value);

ReportTable comparison_report(const billing::Comparison& comparison,
                              const std::vector<billing::CostDimension>& by);

}  // namespace gauger::exporters
