// What the sub-commands of `gauger reconcile` read: statements and terms of the ledger, our usage
// of their days; and the reconciliation made of them.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "billing/reconciliation/posting.h"
#include "billing/reconciliation/sign_off.h"
#include "ledger/reader.h"
#include "tools/gauger/terms_source.h"

namespace gauger::tools {

inline constexpr std::string_view statement_kind = "statement";
inline constexpr std::string_view reconciliation_kind = "reconciliation";
inline constexpr std::string_view posting_kind = "reconciliation_posting";

// What decides a reconciliation.
struct ReconcileOptions {
  std::string data;
  std::string provider;
  std::string period;
  std::vector<std::string> statements;  // ids, with @version; empty: all of the provider
  std::string book;                     // a price book in place of the ledger's contracts
  TermsOptions terms;
  std::string mapping;

  void add_to(CLI::App& command);
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

Result<std::unique_ptr<ReconcileRun>> run_reconciliation(const ReconcileOptions& options);

// "2026-08" or "2026-08-03" or "2026-08-01/2026-08-15" (the end excluded) as days; months are
// calendar months.
Result<billing::DayRange> parse_days(const std::string& text);

// The team that a dated mapping document (ingest/attribution.h) gives to accounts and api keys;
// nobody where the path is empty.
Result<billing::TeamOf> read_team_of(const std::string& path, std::string_view provider,
                                     const TimeZone& zone);

}  // namespace gauger::tools
