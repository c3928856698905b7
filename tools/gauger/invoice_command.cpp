// gauger invoice: what a team pays for a month. The draft of a team; other sub-commands have files
// of their own (invoice_options.h).
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "billing/invoice_draft.h"
#include "billing/invoice_text.h"
#include "billing/rate.h"
#include "exporters/accounting/usage_reading.h"
#include "exporters/invoice_blockers.h"
#include "ledger/reader.h"
#include "tools/gauger/command.h"
#include "tools/gauger/invoice_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/server_options.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::string team;
  std::string bill_to;
  std::string organisation;
  std::string period;
  std::string book;
  std::string models;
  std::string zone;
  ServerOptions server;
  Output output = Output::table;
};

Result<billing::InvoiceDraft> make_draft(const Options& options, const LedgerView& view) {
  const auto& reader = *view.reader;
  TRY(const auto book_text, read_text_file(options.book));
  TRY(const auto book, billing::parse_price_book(book_text, options.book));
  std::optional<billing::ModelCatalog> catalog;
  if (!options.models.empty()) {
    TRY(const auto text, read_text_file(options.models));
    TRY(auto parsed, billing::parse_model_catalog(text, options.models));
    catalog = std::move(parsed);
  }
  billing::InvoiceRequest request;
  request.bill_to = options.team;
  TRY(request.month, parse_month(options.period));
  TRY(request.zone,
      TimeZone::find(options.zone.empty() ? reader.config().time_zone : options.zone));
  ledger::UsageQuery query;
  query.interval = billing::month_of(request);
  query.bucket = ledger::Bucket::grain;
  query.filters = {{ledger::Dimension::team, options.team}};
  TRY(const auto usage, exporters::read_usage(view, query));
  billing::RateOptions rate_options;
  rate_options.zone = request.zone;
  rate_options.catalog = catalog ? &*catalog : nullptr;
  rate_options.within = query.interval;
  TRY(const auto rated, billing::rate(usage, book, rate_options));
  auto draft = billing::draft_invoice(rated, request);
  TRY(exporters::add_ledger_blockers(reader.store(), reader.head(), "", draft));
  return draft;
}

Result<void> ask_server(const Options& options) {
  if (options.team.empty() || !options.models.empty() || !options.organisation.empty())
    return invalid_argument(
        "a service drafts for a --team with its own terms; --book is the id of a posted one");
  QueryText query("/v1/invoices/draft");
  query.add("team", options.team)
      .add("period", options.period)
      .add("book", options.book)
      .add("zone", options.zone);
  exporters::ClientRequest request;
  request.target = query.text();
  return options.server.print(std::move(request), options.output);
}

Result<void> run_draft(const Options& options) {
  if (options.server.given()) return ask_server(options);
  if (options.book.empty()) return invalid_argument("--book names the price book");
  if (options.team.empty() == options.bill_to.empty())
    return invalid_argument("name a --team, or a --bill-to of the organisation");
  if (!options.bill_to.empty()) {
    InvoiceOptions common;
    common.data = options.data;
    common.period = options.period;
    common.terms = {options.book, options.models, options.organisation};
    common.output = options.output;
    return preview_invoice(common, options.bill_to);
  }
  TRY(const auto view, LedgerView::open(options.data));
  TRY(const auto draft, make_draft(options, view));
  const auto text = options.output == Output::json  ? billing::invoice_json(draft)
                    : options.output == Output::csv ? billing::invoice_csv(draft)
                                                    : billing::invoice_table(draft);
  std::fputs(text.c_str(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
  return success();
}

}  // namespace

void add_invoice_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("invoice", "invoices of a month: draft, review, finalize, correct");
  command->require_subcommand(1);
  auto* draft = command->add_subcommand("draft", "rate a team's usage of a month now");
  draft->footer(
      "Example: gauger invoice draft --data ./ledger --team search --period 2026-10 \\\n"
      "           --book prices.yaml --models models.yaml");
  options->server.add_to(*draft, options->data);
  draft->add_option("--team", options->team, "the team whose usage is rated");
  draft->add_option("--bill-to", options->bill_to,
                    "the bill-to, with corrections of earlier months, as it would be finalized");
  draft->add_option("--organisation", options->organisation,
                    "which team belongs to which bill-to; else every team is its own");
  draft->add_option("--period", options->period, "the month, such as 2026-10")->required();
  draft->add_option("--book", options->book,
                    "the price book; with --server the id of a posted one, if there are several");
  draft->add_option("--models", options->models, "the model catalogue, for model tiers");
  draft->add_option("--zone", options->zone, "the legal entity's time zone; else the ledger's");
  add_output_option(*draft, options->output);
  draft->callback([options, &run] { run = [options] { return run_draft(*options); }; });
  add_invoice_write_commands(*command, run);
  add_invoice_correct_command(*command, run);
  add_invoice_read_commands(*command, run);
  add_invoice_numbers_command(*command, run);
}

}  // namespace gauger::tools
