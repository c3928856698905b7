// gauger cost: a month's cost, contract by contract, beside what teams are charged for it.
#include <cstdio>
#include <memory>

#include "billing/chargeback/cost_view.h"
#include "schemas/money.h"
#include "tools/gauger/command.h"
#include "tools/gauger/company_month.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"

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
  Output output = Output::table;
};

// The rate of the period is that of its last instant.
Result<billing::CostView> view_of(const CostFlags& flags, const RatedMonth& rated, size_t index) {
  const auto& allocation = rated.company.allocations[index];
  const billing::Contract* contract = nullptr;
  for (const auto& one : rated.terms.company.contracts)
    if (one.id == allocation.contract) contract = &one;
  VERIFY(contract != nullptr, "an allocation is of one of the contracts");
  TRY(const auto policy, billing::find_policy(rated.terms, flags.policy));
  TRY(const auto charges, billing::charge_month(rated.usage, rated.terms.company.of(*contract),
                                                rated.company.month, policy));
  if (flags.currency.empty()) return billing::view_cost(allocation, charges, policy.id);
  TRY(const auto currency, billing::Currency::find(flags.currency));
  TRY(const auto rate, billing::freeze_rate(rated.terms.exchange_rates, allocation.currency,
                                            currency, allocation.period.until - Duration{1}));
  return billing::view_cost(allocation, charges, policy.id, rate);
}

Result<void> add_tax(const CostFlags& flags, std::vector<billing::CostView>& views) {
  if (flags.tax.empty()) return success();
  if (views.size() != 1)
    return invalid_argument("--tax is that of one bill: name its contract with --contract");
  auto& view = views.front();
  TRY(view.tax_minor, parse_decimal(flags.tax, view.currency.minor_digits()));
  return success();
}

std::string table_of(const RatedMonth& rated, const std::vector<billing::CostView>& views) {
  std::string text;
  for (const auto& view : views) text += (text.empty() ? "" : "\n") + billing::cost_table(view);
  if (!rated.company.uncontracted.empty()) text += "\nno contract covers\n";
  billing::Rated names;
  names.strings = rated.usage.strings;
  names.keys = rated.usage.keys;
  for (const auto& open : rated.company.uncontracted) {
    const auto team = rated.usage.text(rated.usage.keys[open.key].team);
    text += "  " + (team.empty() ? std::string(billing::unallocated) : std::string(team)) + ": " +
            billing::unpriced_sentence(names, open) + "\n";
  }
  return text;
}

Result<void> run_cost(const CostFlags& flags) {
  TRY(const auto month, parse_month(flags.period));
  TRY(auto source, RatingSource::open(flags.data, flags.terms));
  TRY(const auto rated, source.rate(month, flags.contract));
  std::vector<billing::CostView> views;
  for (size_t i = 0; i < rated.company.allocations.size(); ++i) {
    TRY(auto view, view_of(flags, rated, i));
    views.push_back(std::move(view));
  }
  TRY(add_tax(flags, views));
  switch (flags.output) {
    case Output::table: return write_document("", table_of(rated, views));
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
  add_data_option(*command, flags->data);
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
