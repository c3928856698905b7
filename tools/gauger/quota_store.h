// Quotas as the ledger's documents: kind `quota`, one version per change.
#pragma once

#include <vector>

#include "ledger/documents.h"
#include "ledger/quota.h"

namespace gauger::tools {

// The last version of every quota of a namespace. A content of null (`quota remove`) is none.
Result<std::vector<ledger::Quota>> read_quotas(const ledger::Documents& documents,
                                               std::string_view name_space);
// Parses a quota's document and makes the draft of its next version.
Result<ledger::DocumentDraft> quota_draft(std::string_view text, std::string_view file,
                                          std::string_view name_space);

}  // namespace gauger::tools
