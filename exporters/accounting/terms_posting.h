// Posting terms: a document is checked together with what the ledger has before it is appended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporters/accounting/terms_source.h"

namespace gauger::exporters {

// Where a document is kept: a price book that waits for its acceptance under a kind of its own.
ledger::DocumentKey key_of_terms(const billing::TermsDocument& document,
                                 std::string_view name_space = documents_name_space);

// What to append; author and reason are the caller's. None where the ledger's last version is the
// same text. conflict: an author's version stands for one content, for ever.
Result<std::optional<ledger::DocumentDraft>> draft_of_terms(const billing::TermsDocument& document,
                                                            const std::string& text,
                                                            std::string_view name_space,
                                                            const ledger::Documents& documents);

// The texts with the last version of everything the ledger has: everything or nothing. Without a
// view they stand alone.
Result<void> check_together(const std::vector<NamedText>& texts, const LedgerView* view);

}  // namespace gauger::exporters
