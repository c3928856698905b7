// Usage as everybody is to read it: the ledger's answer under the re-attributions that were
// posted to it (billing/reattribution.h).
#pragma once

#include <vector>

#include "billing/reattribution.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

// The last version of each re-attribution, in the order in which they were posted.
Result<std::vector<billing::Reattribution>> posted_reattributions(
    const ledger::Documents& documents, std::string_view name_space = documents_name_space);

Result<UsageTable> read_usage(const LedgerView& view, const ledger::UsageQuery& query);
Result<UsageTable> read_usage(const LedgerView& view, const ledger::UsageQuery& query,
                              const std::vector<billing::Reattribution>& documents);

}  // namespace gauger::exporters
