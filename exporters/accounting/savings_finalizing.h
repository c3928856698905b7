// Keeping a period's savings statement for good: a document with its figures and what they rested
// on. Nothing is written here; the draft is for whoever appends.
#pragma once

#include <optional>
#include <string>

#include "exporters/accounting/savings_source.h"

namespace gauger::exporters {

// "2027-01/contract", "2027-01..2027-03/list".
std::string savings_statement_id(const billing::SavingsRequest& request);

struct SavingsFinalizing {
  ledger::DocumentDraft draft;  // without its author
  // The last version, where it says the same already: nothing is to be appended.
  std::optional<ledger::DocumentVersion> same;
};
// refused: the statement has problems. conflict: it was finalized with other figures, and no reason
// says why it is restated.
Result<SavingsFinalizing> finalize_savings(const SavingsSource& source,
                                           const billing::SavingsRequest& request,
                                           const std::string& reason);

}  // namespace gauger::exporters
