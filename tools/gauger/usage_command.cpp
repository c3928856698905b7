// gauger usage: what was used, by anything that usage is told apart by.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "billing/model_catalog.h"
#include "exporters/accounting/terms_source.h"
#include "exporters/accounting/usage_reading.h"
#include "exporters/usage_report.h"
#include "ledger/reader.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/server_options.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::string by = "team,model";
  std::string models;
  PeriodOptions period;
  FilterOptions filters;
  ServerOptions server;
  Output output = Output::table;
};

// A file, or the catalogue that was posted to the ledger.
Result<billing::ModelCatalog> read_catalog(const Options& options,
                                           const exporters::LedgerView& view) {
  if (!options.models.empty()) {
    TRY(const auto text, read_text_file(options.models));
    return billing::parse_model_catalog(text, options.models);
  }
  const auto documents = view.documents();
  TRY(auto source, exporters::TermsSource::open({}, &documents));
  TRY(auto terms, source.latest());
  if (!terms.company.catalog)
    return invalid_argument(
        "--by model_tier needs a model catalogue: --models FILE, or `gauger terms post`");
  return std::move(*terms.company.catalog);
}

exporters::ClientRequest server_request(const Options& options) {
  QueryText query("/v1/usage");
  query.add("by", options.by)
      .add("period", options.period.period)
      .add("from", options.period.from)
      .add("until", options.period.until);
  for (size_t i = 0; i < options.filters.values.size(); ++i)
    query.add(ledger::dimension_names[i], options.filters.values[i]);
  exporters::ClientRequest request;
  request.target = query.text();
  return request;
}

Result<void> run_usage(const Options& options) {
  if (options.server.given()) {
    if (!options.models.empty())
      return invalid_argument("--models goes with --data; a service has its own catalogue");
    return options.server.print(server_request(options), options.output, "rows");
  }
  TRY(const auto grouping, exporters::parse_usage_grouping(options.by));
  TRY(const auto view, exporters::LedgerView::open(options.data));
  std::optional<billing::ModelCatalog> catalog;
  if (grouping.model_tier) {
    TRY(catalog, read_catalog(options, view));
  }
  TRY(const auto zone, TimeZone::find(view.reader->config().time_zone));
  ledger::UsageQuery query;
  TRY(query.interval, options.period.interval(zone));
  query.group = grouping.mask;
  query.bucket = bucket_of(grouping);
  query.filters = options.filters.filters();
  TRY(const auto table, exporters::read_usage(view, query));
  TRY(const auto report,
      exporters::make_usage_report(table, grouping, catalog ? &*catalog : nullptr, zone));
  const auto text = options.output == Output::json  ? exporters::usage_json(report)
                    : options.output == Output::csv ? exporters::usage_csv(report)
                                                    : exporters::usage_table_text(report);
  std::fputs(text.c_str(), stdout);
  return success();
}

}  // namespace

void add_usage_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("usage", "tokens, requests and compute time that were used");
  command->footer(
      "Examples:\n"
      "  gauger usage --data ./ledger --by team,model --period 2026-10 --output json\n"
      "  gauger usage --server http://127.0.0.1:8383 --by day,project --team search");
  options->server.add_to(*command, options->data);
  command
      ->add_option("--by", options->by,
                   "what to tell apart, by comma: team, model, model_tier, project, workload, "
                   "period, hour, day, month, or any part of the usage key")
      ->default_str("team,model");
  command->add_option("--models", options->models,
                      "the model catalogue, for model_tier; default the posted one");
  options->period.add_to(*command);
  options->filters.add_to(*command);
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_usage(*options); }; });
}

}  // namespace gauger::tools
