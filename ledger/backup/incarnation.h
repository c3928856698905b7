// A ledger that was restored is a new incarnation: what the lost one accepted, granted and
// numbered after the backup is not in it. It is a document, so that it is in the chain; the first
// incarnation has none. Until somebody confirms the last number that left the house, an issuer's
// documents are not finalized: a number must never be given twice.
#pragma once

#include <optional>
#include <string>

#include "ledger/documents.h"

namespace gauger::ledger {

// 1 for a ledger that was never restored.
Result<uint32_t> incarnation_of(const Documents& documents);

// What to append when a ledger was restored: `detail` is a JSON object that says from what.
DocumentDraft incarnation_draft(const std::string& author, std::string detail);

// Says that an issuer's last number is known, and which: `detail` is a JSON object.
DocumentDraft confirmation_draft(const std::string& issuer, const std::string& author,
                                 std::string detail);
// refused, saying what to do, where the issuer's numbers have not been confirmed since the last
// restore.
Result<void> check_confirmed(const Documents& documents, const std::string& issuer);

}  // namespace gauger::ledger
