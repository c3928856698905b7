#include "tools/gauger/accounting_options.h"

#include <cstdio>
#include <memory>

#include "exporters/accounting/reconcile_posting.h"
#include "ingest/attribution.h"
#include "ledger/ledger.h"
#include "schemas/clock.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/text_file.h"
#include "tools/progress.h"

namespace gauger::tools {

Result<std::vector<NamedText>> read_texts(const std::vector<std::string>& files) {
  std::vector<NamedText> texts;
  for (const auto& file : files) {
    TRY(auto text, read_document(file));
    texts.push_back({file, std::move(text)});
  }
  return texts;
}

namespace {

// None where no file is named.
Result<std::optional<NamedText>> read_optional(const std::string& file) {
  if (file.empty()) return std::optional<NamedText>();
  TRY(auto text, read_text_file(file));
  return std::optional(NamedText{file, std::move(text)});
}

}  // namespace

void TermsOptions::add_to(CLI::App& command) {
  command.add_option("--terms", files,
                     "documents of terms (YAML) that go before those of the ledger");
  command.add_option("--known-at", known_at,
                     "terms as they were known at this journal block; default now");
}

Result<RatingSource> open_rating(const std::string& directory, const TermsOptions& options) {
  TRY(const auto texts, read_texts(options.files));
  TRY(auto view, LedgerView::open(directory));
  TRY(auto source, RatingSource::open(std::move(view), texts, options.known_at));
  source.report_to([bar = std::shared_ptr<Progress>(), of = std::string()](
                       const std::string& contract, uint64_t done, uint64_t total) mutable {
    if (of != contract || !bar)
      bar = std::make_shared<Progress>("rate " + contract, "months before", total);
    of = contract;
    bar->advance_to(done);
    if (done + 1 >= total) bar.reset();
  });
  return source;
}

void SavingsOptions::add_to(CLI::App& command, const std::string& flag, ServerOptions* server) {
  if (server != nullptr)
    server->add_to(command, data);
  else
    add_data_option(command, data);
  command.add_option(flag, terms,
                     "price books, contracts, capacity, model catalogue and programmes (YAML); "
                     "they go before those of the ledger");
}

Result<SavingsSource> open_savings(const SavingsOptions& options, bool needs_contract) {
  TRY(auto view, LedgerView::open(options.data));
  TRY(auto texts, read_texts(options.terms));
  return SavingsSource::open(std::move(view), std::move(texts), needs_contract);
}

void InvoiceTermsOptions::add_to(CLI::App& command) {
  command.add_option("--book", book,
                     "the price book that teams pay by; else the contracts' closed months");
  command.add_option("--models", models, "the model catalogue, for model tiers");
  command.add_option("--organisation", organisation,
                     "which team belongs to which bill-to; else every team is its own");
}

Result<InvoiceTerms> read_invoice_terms(const InvoiceTermsOptions& options) {
  std::vector<std::pair<std::string, NamedText>> texts;
  const std::pair<std::string_view, const std::string*> files[] = {
      {"price_book", &options.book},
      {"model_catalog", &options.models},
      {"organisation", &options.organisation}};
  for (const auto& [kind, file] : files) {
    if (file->empty()) continue;
    TRY(auto text, read_text_file(*file));
    texts.emplace_back(kind, NamedText{*file, std::move(text)});
  }
  return exporters::parse_invoice_terms(texts);
}

void ReconcileOptions::add_to(CLI::App& command, ServerOptions* server) {
  if (server != nullptr)
    server->add_to(command, data);
  else
    add_data_option(command, data);
  command.add_option("--provider", provider, "whose statements, as the ledger names it")
      ->required();
  command.add_option("--period", period,
                     "a month (2026-08), a day, or FROM/UNTIL; else all days of the statements");
  command
      .add_option("--statement", statements,
                  "only this statement, by its id, with @VERSION where not the latest")
      ->allow_extra_args(false);
  command.add_option("--book", book,
                     "rate our side with this price book, in place of the ledger's contracts; with "
                     "--server the id of a posted one");
  terms.add_to(command);
  command.add_option("--mapping", mapping, "the statement mapping: names, tolerance");
}

Result<std::unique_ptr<exporters::ReconcileRun>> run_reconciliation(
    const ReconcileOptions& options) {
  exporters::ReconcileRequest request;
  request.provider = options.provider;
  request.period = options.period;
  request.statements = options.statements;
  TRY(request.book, read_optional(options.book));
  TRY(request.terms, read_texts(options.terms.files));
  request.known_at = options.terms.known_at;
  TRY(request.mapping, read_optional(options.mapping));
  TRY(const auto view, LedgerView::open(options.data));
  return exporters::run_reconciliation(view, request);
}

Result<billing::TeamOf> read_team_of(const std::string& path, std::string_view provider,
                                     const TimeZone& zone) {
  if (path.empty()) return billing::TeamOf();
  TRY(const auto text, read_text_file(path));
  TRY(auto parsed, ingest::Attribution::parse(text));
  return exporters::team_of_accounts(std::make_shared<const ingest::Attribution>(std::move(parsed)),
                                     provider, zone);
}

void print(const ReportTable& report, Output output) {
  const auto text = output == Output::json  ? report.json()
                    : output == Output::csv ? report.csv()
                                            : report.text();
  std::fputs(text.c_str(), stdout);
}

Result<std::vector<ledger::DocumentVersion>> append_documents(
    const std::string& data, std::vector<ledger::DocumentDraft> drafts) {
  const SystemClock clock;
  TRY(auto writer, ledger::Ledger::open(data, {}, clock));
  TRY(auto versions, writer->append_documents(std::move(drafts)));
  TRY(writer->close());
  return versions;
}

}  // namespace gauger::tools
