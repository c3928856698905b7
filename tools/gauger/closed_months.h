// Closed months in a ledger, and appending documents to it from a command.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/contracts/closed_month.h"
#include "ledger/documents.h"

namespace gauger::tools {

struct StoredClosedMonth {
  billing::ClosedMonth month;
  std::vector<ledger::DocumentVersion> versions;  // the allocation, then its corrections
  std::vector<std::string> contents;              // of the versions
};

ledger::DocumentKey allocation_key(std::string_view contract, int32_t month);
// None where the month was not closed.
Result<std::optional<StoredClosedMonth>> read_closed(const ledger::Documents& documents,
                                                     std::string_view contract, int32_t month);

// Opens the ledger for writing, appends all or none, and waits until they are durable. The ledger
// exists: it is never made here.
Result<std::vector<ledger::DocumentVersion>> append_documents(
    const std::string& data, std::vector<ledger::DocumentDraft> drafts);

}  // namespace gauger::tools
