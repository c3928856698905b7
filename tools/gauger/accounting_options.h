// Flags of commands that read terms, usage and documents together (exporters/accounting), and
// opening what they name.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "exporters/accounting/company_month.h"
#include "exporters/accounting/invoice_rating.h"
#include "exporters/accounting/reconcile_source.h"
#include "exporters/accounting/report_table.h"
#include "exporters/accounting/savings_source.h"
#include "ledger/documents.h"
#include "tools/gauger/command.h"
#include "tools/gauger/server_options.h"

namespace gauger::tools {

using exporters::document_name;
using exporters::documents_name_space;
using exporters::InvoiceRating;
using exporters::InvoiceStore;
using exporters::InvoiceTerms;
using exporters::LedgerView;
using exporters::NamedText;
using exporters::parse_days;
using exporters::parse_month_range;
using exporters::posting_kind;
using exporters::RatedBillTo;
using exporters::RatedBillTos;
using exporters::RatedMonth;
using exporters::RatingSource;
using exporters::read_invoice_terms;
using exporters::reconciliation_kind;
using exporters::ReportTable;
using exporters::SavingsDocuments;
using exporters::SavingsSource;
using exporters::statement_kind;
using exporters::TermsSource;

// Documents by their paths, whole.
Result<std::vector<NamedText>> read_texts(const std::vector<std::string>& files);

// Terms of a command: files go before the documents of the ledger.
struct TermsOptions {
  std::vector<std::string> files;
  std::optional<uint64_t> known_at;  // a block of the ledger; else its last one
  // --terms FILE..., --known-at SEQUENCE.
  void add_to(CLI::App& command);
};
// With a progress bar while months before are rated.
Result<RatingSource> open_rating(const std::string& directory, const TermsOptions& options);

// --data, --terms FILE..., of savings and comparisons.
struct SavingsOptions {
  std::string data;
  std::vector<std::string> terms;
  // `flag` names the terms; they stand behind a command's own.
  // With `server`, --data or --server.
  void add_to(CLI::App& command, const std::string& flag = "--terms",
              ServerOptions* server = nullptr);
};
Result<SavingsSource> open_savings(const SavingsOptions& options, bool needs_contract = true);

struct InvoiceTermsOptions {
  std::string book;
  std::string models;
  std::string organisation;
  // --book, --models, --organisation. Without a book the closed months of contracts are invoiced.
  void add_to(CLI::App& command);
};
Result<InvoiceTerms> read_invoice_terms(const InvoiceTermsOptions& options);

// What decides a reconciliation.
struct ReconcileOptions {
  std::string data;
  std::string provider;
  std::string period;
  std::vector<std::string> statements;  // ids, with @version; empty: all of the provider
  std::string book;                     // a price book in place of the ledger's contracts
  TermsOptions terms;
  std::string mapping;

  // With `server`, --data or --server; --book is then the id of a posted one.
  void add_to(CLI::App& command, ServerOptions* server = nullptr);
};
Result<std::unique_ptr<exporters::ReconcileRun>> run_reconciliation(
    const ReconcileOptions& options);

// The team that a dated mapping document (ingest/attribution.h) gives to accounts and api keys;
// nobody where the path is empty.
Result<billing::TeamOf> read_team_of(const std::string& path, std::string_view provider,
                                     const TimeZone& zone);

void print(const ReportTable& report, Output output);

// Opens the ledger for writing, appends all or none, and waits until they are durable. The ledger
// exists: it is never made here.
Result<std::vector<ledger::DocumentVersion>> append_documents(
    const std::string& data, std::vector<ledger::DocumentDraft> drafts);

}  // namespace gauger::tools
