// Posting the remainder of a reconciliation that somebody has signed off, so that teams add up to
// the provider's bill. Nothing is written here; the draft is for whoever appends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "exporters/accounting/reconcile_source.h"
#include "ingest/attribution.h"

namespace gauger::exporters {

// "rate" and "by_use" as rules; `what` is what the sentence calls the pair.
Result<void> add_posting_rule(std::string_view variance_class, std::string_view rule,
                              std::string_view what, billing::PostingRules& rules);

// The team that a dated mapping document gives to accounts and api keys of the provider.
billing::TeamOf team_of_accounts(std::shared_ptr<const ingest::Attribution> attribution,
                                 std::string_view provider, const TimeZone& zone);

struct PostingDraft {
  billing::Posting posting;
  std::vector<billing::PostingLine> change;  // of the posting before, where there is one
  ledger::DocumentDraft draft;               // without author and reason
  // The last version, where it says the same already: nothing is to be appended.
  std::optional<ledger::DocumentVersion> same;
};
// refused: not signed off, or changed since then.
Result<PostingDraft> posting_of(const LedgerView& view, const ReconcileRun& run,
                                const billing::PostingRules& rules, const billing::TeamOf& team_of);

}  // namespace gauger::exporters
