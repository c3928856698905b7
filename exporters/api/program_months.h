// How the programmes of a ledger do in a month: for the list and the metrics. Private to
// exporters/api.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/rational.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

struct ProgramMonth {
  std::string program;
  std::string month;
  std::string currency;
  std::string net;  // in minor units, as a decimal
  int64_t accepted = 0;
  int64_t ended = 0;                      // root requests with an outcome
  std::optional<int64_t> acceptance_ppm;  // none where no request ended
  std::string qualification;
};

// By programme; none where there are no programmes or no contracts.
Result<std::vector<ProgramMonth>> program_months(const LedgerView& view, int32_t month);

int64_t to_ppm(const billing::Rational& share);

}  // namespace gauger::exporters
