// gauger cost: a month's cost, contract by contract, beside what teams are charged for it.
#include <cstdio>
#include <memory>

#include "billing/chargeback/cost_view.h"
#include "exporters/accounting/cost_views.h"
#include "schemas/money.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/server_options.h"

namespace gauger::tools {
namespace {

struct CostFlags {
  std::string data;
  std::string period;
  std::string contract;
  std::string policy;
  std::string currency;
  std::string tax;
  TermsOptions terms;
  ServerOptions server;
  Output output = Output::table;
};

Result<void> add_tax(const CostFlags& flags, std::vector<billing::CostView>& views) {
  if (flags.tax.empty()) return success();
  if (views.size() != 1)
    return invalid_argument("--tax is that of one bill: name its contract with --contract");
  auto& view = views.front();
  TRY(view.tax_minor, parse_decimal(flags.tax, view.currency.minor_digits()));
  return success();
}

Result<void> ask_server(const CostFlags& flags) {
  if (!flags.terms.files.empty() || flags.terms.known_at || !flags.tax.empty())
    return invalid_argument(
        "--terms, --known-at and --tax go with --data; a service has its own terms");
  QueryText query("/v1/costs");
  query.add("period", flags.period)
      .add("contract", flags.contract)
      .add("policy", flags.policy)
      .add("currency", flags.currency);
  exporters::ClientRequest request;
  request.target = query.text();
  return flags.server.print(std::move(request), flags.output);
}

Result<void> run_cost(const CostFlags& flags) {
  if (flags.server.given()) return ask_server(flags);
  TRY(const auto month, parse_month(flags.period));
  TRY(auto source, open_rating(flags.data, flags.terms));
  TRY(const auto rated, source.rate(month, flags.contract));
  TRY(auto views, exporters::cost_views(rated, flags.policy, flags.currency));
  TRY(add_tax(flags, views));
  switch (flags.output) {
    case Output::table: return write_document("", exporters::costs_text(rated, views));
    case Output::json: return write_document("", billing::cost_json(views));
    case Output::csv: return write_document("", billing::cost_csv(views));
  }
  return success();
}

}  // namespace

void add_cost_command(CLI::App& app, Run& run) {
  auto* const command = app.add_subcommand(
      "cost", "what a month costs by contract and team, and what teams are charged");
  const auto flags = std::make_shared<CostFlags>();
  flags->server.add_to(*command, flags->data);
  command->add_option("--period", flags->period, "the month, such as 2027-01")->required();
  command->add_option("--contract", flags->contract, "only this contract");
  command->add_option("--policy", flags->policy, "the chargeback policy, by id");
  command->add_option("--currency", flags->currency,
                      "convert with the exchange rate of the period's end");
  command->add_option("--tax", flags->tax, "of the provider's bill, which adds it to the cost");
  flags->terms.add_to(*command);
  add_output_option(*command, flags->output);
  command->footer(
      "Example: gauger cost --data ./ledger --period 2027-01 --contract frontier-2027 --tax 19.00\n"
      "Terms are the ledger's (`gauger terms post`); --terms FILE goes before them.");
  command->callback([flags, &run] { run = [flags] { return run_cost(*flags); }; });
}

}  // namespace gauger::tools
