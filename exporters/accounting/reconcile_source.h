// What reconciliations are made of: statements and terms of the ledger, our usage of their days.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/reconciliation/posting.h"
#include "billing/reconciliation/sign_off.h"
#include "exporters/accounting/terms_source.h"

namespace gauger::exporters {

inline constexpr std::string_view statement_kind = "statement";
inline constexpr std::string_view reconciliation_kind = "reconciliation";
inline constexpr std::string_view posting_kind = "reconciliation_posting";

// What decides a reconciliation.
struct ReconcileRequest {
  std::string provider;
  std::string period;
  std::vector<std::string> statements;  // ids, with @version; empty: all of the provider
  std::optional<NamedText> book;        // a price book in place of the ledger's contracts
  std::vector<NamedText> terms;         // before those of the ledger
  std::optional<uint64_t> known_at;     // terms as of a block, else now
  std::optional<NamedText> mapping;
};

// Owns all that a reconciliation was made of; `input` points into it.
struct ReconcileRun {
  std::vector<billing::Statement> statements;
  std::vector<billing::StatementVersion> versions;
  billing::StatementMapping mapping;
  billing::Terms terms;
  std::vector<billing::Rated> rated;
  billing::GrainInput input;
  billing::Reconciliation result;
};

Result<std::unique_ptr<ReconcileRun>> run_reconciliation(const LedgerView& view,
                                                         const ReconcileRequest& request);

// "2026-08" or "2026-08-03" or "2026-08-01/2026-08-15" (the end excluded) as days; months are
// calendar months.
Result<billing::DayRange> parse_days(const std::string& text);

}  // namespace gauger::exporters
