// Closed months in a ledger.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/contracts/closed_month.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

struct StoredClosedMonth {
  billing::ClosedMonth month;
  std::vector<ledger::DocumentVersion> versions;  // the allocation, then its corrections
  std::vector<std::string> contents;              // of the versions
};

ledger::DocumentKey allocation_key(std::string_view contract, int32_t month,
                                   std::string_view name_space = documents_name_space);
// None where the month was not closed.
Result<std::optional<StoredClosedMonth>> read_closed(
    const ledger::Documents& documents, std::string_view contract, int32_t month,
    std::string_view name_space = documents_name_space);

}  // namespace gauger::exporters
