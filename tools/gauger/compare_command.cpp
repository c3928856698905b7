// gauger compare, gauger bridge: the same usage under other terms, at other providers, and why a
// period cost more than another.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "billing/allocation.h"
#include "billing/json_value.h"
#include "billing/savings/alternatives.h"
#include "billing/savings/bridge.h"
#include "billing/savings/comparison.h"
#include "billing/savings/forecast.h"
#include "billing/savings/statement_text.h"
#include "exporters/accounting/comparison_report.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"

namespace gauger::tools {
namespace {

using billing::MonthRange;
using exporters::money_text;

struct CompareFlags {
  SavingsOptions source;
  std::vector<std::string> sides;
  std::string period;
  std::string by = "team,model";
  bool forecast = false;
  ServerOptions server;
  Output output = Output::table;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> files;
  for (size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    if (end > begin) files.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return files;
}

// The month after the period from its last eight closed weeks, and the period itself from the
// eight weeks before it, against what it came to.
Result<void> add_forecast(const SavingsSource& source, const TimeZone& zone, MonthRange months,
                          const billing::CompanyTerms& a, const billing::CompanyTerms& b,
                          ReportTable& report) {
  const auto first = zone.local_day(zone.month_begin(months.first));
  const auto next = zone.local_day(zone.month_begin(months.last + 1));
  const auto after = zone.local_day(zone.month_begin(months.last + 2));
  // The day in which the clock stands is not closed.
  const auto closed = std::min(next, zone.local_day(source.reader().head().block_time));
  constexpr auto days = billing::forecast_weeks * 7;
  const auto begin = std::min(first, closed) - days;
  TRY(auto usage, source.usage({zone.day_begin(begin), zone.day_begin(next)}));
  TRY(usage, billing::with_compute_profiles(std::move(usage), source.terms().programs));
  const auto coming = billing::forecast_usage(usage, zone, closed, next, after);
  const auto tested = billing::forecast_usage(usage, zone, first, first, closed);
  UsageTable actual = usage;
  std::erase_if(actual.rows, [&](const UsageRow& row) {
    const auto day = zone.local_day(row.period);
    return day < first || day >= closed;
  });
  for (const auto& [name, terms] : {std::pair{"A", &a}, std::pair{"B", &b}}) {
    TRY(const auto cost,
        billing::company_cost(coming, *terms, {months.last + 1, months.last + 1}, true));
    TRY(const auto forecast, billing::company_cost(tested, *terms, months, true));
    TRY(const auto came, billing::company_cost(actual, *terms, months, true));
    const auto error = billing::forecast_error(forecast.total(), came.total());
    report.notes.push_back(
        fmt::format("forecast of {} under {}: {} {}{}; back-test on {}: {} against {}, error {}",
                    format_month(months.last + 1), name, money_text(cost.currency, cost.total()),
                    cost.currency.code(), cost.gaps.empty() ? "" : " without what has no price",
                    format_month(months.first), money_text(cost.currency, forecast.total()),
                    money_text(cost.currency, came.total()),
                    error ? billing::percent_text(*error) : "not known"));
    report.facts.emplace_back(fmt::format("forecast_{}", name == std::string("A") ? "a" : "b"),
                              money_text(cost.currency, cost.total()));
    report.facts.emplace_back(
        fmt::format("forecast_error_{}", name == std::string("A") ? "a" : "b"),
        error ? billing::percent_text(*error) : "");
  }
  return success();
}

Result<void> ask_server(const CompareFlags& flags) {
  if (!flags.source.terms.empty() || flags.forecast)
    return invalid_argument("--with and --forecast go with --data");
  billing::JsonValue body;
  body["period"] = flags.period;
  body["by"] = flags.by;
  for (const auto& [name, files] :
       {std::pair{"a", &flags.sides[0]}, std::pair{"b", &flags.sides[1]}}) {
    TRY(const auto texts, read_texts(split(*files)));
    billing::JsonValue::Array side;
    for (const auto& text : texts) side.emplace_back(text.text);
    body[name] = std::move(side);
  }
  exporters::ClientRequest request;
  request.method = exporters::Method::post;
  request.target = "/v1/comparisons";
  request.content_type = "application/json";
  request.body = body.canonical();
  return flags.server.print(std::move(request), flags.output);
}

Result<void> run_compare(const CompareFlags& flags) {
  if (flags.sides.size() != 2)
    return invalid_argument("compare takes --terms twice: once for A, once for B");
  if (flags.server.given()) return ask_server(flags);
  TRY(const auto by, billing::parse_cost_dimensions(flags.by));
  TRY(const auto months, parse_month_range(flags.period));
  TRY(const auto source, open_savings(flags.source, false));
  TRY(const auto texts_a, read_texts(split(flags.sides[0])));
  TRY(const auto texts_b, read_texts(split(flags.sides[1])));
  TRY(const auto a, source.documents_with(texts_a));
  TRY(const auto b, source.documents_with(texts_b));
  TRY(const auto zone, billing::common_zone(a.terms.company.contracts));
  TRY(auto usage, source.usage(zone, months));
  TRY(usage, billing::with_compute_profiles(std::move(usage), source.terms().programs));
  TRY(const auto comparison,
      billing::compare_terms(usage, a.terms.company, b.terms.company, months, by));
  auto report = exporters::comparison_report(comparison, by);
  if (flags.forecast) {
    TRY(add_forecast(source, zone, months, a.terms.company, b.terms.company, report));
  }
  print(report, flags.output);
  return success();
}

struct AlternativesFlags {
  SavingsOptions source;
  std::string period;
  Output output = Output::table;
};

Result<void> run_alternatives(const AlternativesFlags& flags) {
  TRY(const auto months, parse_month_range(flags.period));
  TRY(const auto source, open_savings(flags.source));
  const auto& documents = source.documents();
  if (documents.alternatives.empty())
    return invalid_argument("there is no alternative: give documents of 'kind: alternative'");
  TRY(const auto zone, billing::common_zone(documents.terms.company.contracts));
  TRY(const auto usage, source.usage(zone, months));
  TRY(const auto lines,
      billing::price_alternatives(usage, documents.terms.company, documents.alternatives, months));
  const auto& currency = documents.terms.company.contracts.front().currency;
  ReportTable report;
  report.columns = {{"workload"},       {"provider"},   {"model"},    {"alternative"},
                    {"requests", true}, {"cost", true}, {"cheapest"}, {"unpriced"}};
  for (const auto& line : lines)
    report.rows.push_back({line.workload, line.provider, line.model,
                           line.alternative.empty() ? "as it is" : line.alternative,
                           std::to_string(line.requests), money_text(currency, line.amount),
                           line.cheapest ? "cheapest" : "",
                           fmt::format("{}", fmt::join(line.gaps, "; "))});
  report.facts = {{"currency", currency.code()}};
  report.notes.push_back("amounts in " + currency.code());
  print(report, flags.output);
  return success();
}

struct BridgeFlags {
  SavingsOptions source;
  std::string from;
  std::string to;
  Output output = Output::table;
};

Result<void> run_bridge(const BridgeFlags& flags) {
  TRY(const auto from, parse_month_range(flags.from));
  TRY(const auto to, parse_month_range(flags.to));
  TRY(const auto source, open_savings(flags.source));
  const auto& terms = source.terms();
  TRY(const auto zone, billing::common_zone(terms.company.contracts));
  TRY(const auto usage,
      source.usage(zone, {std::min(from.first, to.first), std::max(from.last, to.last)}));
  TRY(const auto bridge, billing::bridge_between(usage, terms.company, terms.programs, from, to));
  const std::vector<billing::Rational> exact = {
      bridge.base,         bridge.volume, bridge.intensity, bridge.mix,
      bridge.substitution, bridge.price,  bridge.regime,    bridge.idle_and_minimums};
  const std::vector<std::string> names = {flags.from, "volume",           "intensity",
                                          "mix",      "substitution",     "price",
                                          "regime",   "idle and minimums"};
  // Rounded once, at the end; what leads there takes the cents.
  const auto end = billing::round_total(bridge.later, bridge.currency);
  const auto minor = billing::apportion(exact, end, bridge.currency);
  ReportTable report;
  report.columns = {{"step"}, {"amount", true}, {"exact", true}};
  for (size_t i = 0; i < exact.size(); ++i)
    report.rows.push_back(
        {names[i], bridge.currency.format_minor(minor[i]), billing::format_amount(exact[i])});
  report.rows.push_back(
      {flags.to, bridge.currency.format_minor(end), billing::format_amount(bridge.later)});
  report.facts = {{"currency", bridge.currency.code()},
                  {"as_of_sequence", std::to_string(bridge.as_of_sequence)}};
  report.notes.push_back(fmt::format("amounts in {}, complete to journal block {}",
                                     bridge.currency.code(), bridge.as_of_sequence));
  if (!bridge.gaps.empty())
    report.notes.push_back(fmt::format("{} sums of usage have no price, the first: {}",
                                       bridge.gaps.size(), bridge.gaps.front().sentence));
  print(report, flags.output);
  return success();
}

}  // namespace

void add_compare_command(CLI::App& app, Run& run) {
  auto flags = std::make_shared<CompareFlags>();
  auto* command = app.add_subcommand("compare", "the same usage under other terms or providers");
  command->footer(
      "Example: gauger compare terms --data ./ledger --period 2027-01 --with list.yaml \\\n"
      "           --terms hours.yaml --terms tokens.yaml --by team,model --forecast");
  command->require_subcommand(1);
  auto* terms = command->add_subcommand("terms", "two sets of terms, and where they cost the same");
  flags->source.add_to(*terms, "--with", &flags->server);
  terms->add_option("--terms", flags->sides, "A, then B: files by comma, in front of the others")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  terms->add_option("--period", flags->period, "2027-01, 2027-01..2027-03, 2027-Q1 or 2027")
      ->required();
  terms->add_option("--by", flags->by, "team, project, workload, program, provider, model")
      ->default_str("team,model");
  terms->add_flag("--forecast", flags->forecast,
                  "the month after it, from the weekdays of eight closed weeks");
  add_output_option(*terms, flags->output);
  terms->callback([flags, &run] { run = [flags] { return run_compare(*flags); }; });

  auto other = std::make_shared<AlternativesFlags>();
  auto* alternatives =
      command->add_subcommand("alternatives", "other providers: the cheapest per workload");
  alternatives->footer(
      "Example: gauger compare alternatives --data ./ledger --period 2027-01 \\\n"
      "           --terms list.yaml frontier.yaml other-list.yaml other.yaml");
  other->source.add_to(*alternatives);
  alternatives->add_option("--period", other->period, "2027-01, 2027-01..2027-03, 2027-Q1 or 2027")
      ->required();
  add_output_option(*alternatives, other->output);
  alternatives->callback([other, &run] { run = [other] { return run_alternatives(*other); }; });
}

void add_bridge_command(CLI::App& app, Run& run) {
  auto flags = std::make_shared<BridgeFlags>();
  auto* command = app.add_subcommand("bridge", "why a period cost more or less than another one");
  command->footer(
      "Example: gauger bridge --data ./ledger --from 2026-12 --to 2027-01 --terms list.yaml ...");
  flags->source.add_to(*command);
  command->add_option("--from", flags->from, "the base period, such as 2026-12")->required();
  command->add_option("--to", flags->to, "the later period, such as 2027-01")->required();
  add_output_option(*command, flags->output);
  command->callback([flags, &run] { run = [flags] { return run_bridge(*flags); }; });
}

}  // namespace gauger::tools
