// Usage as everybody is to read it: the ledger's answer under the re-attributions that were
// posted to it (billing/reattribution.h).
#pragma once

#include <cstdint>
#include <vector>

#include "billing/reattribution.h"
#include "ledger/documents.h"
#include "ledger/reader.h"

namespace gauger::tools {

// The last version of each re-attribution, in the order in which they were posted.
Result<std::vector<billing::Reattribution>> posted_reattributions(
    const ledger::Documents& documents);

Result<UsageTable> read_usage(const ledger::Reader& reader, const ledger::UsageQuery& query);
Result<UsageTable> read_usage(const ledger::Reader& reader, const ledger::UsageQuery& query,
                              const std::vector<billing::Reattribution>& documents);

}  // namespace gauger::tools
