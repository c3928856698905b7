// gauger savings: what distillations are worth.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "billing/savings/statement_text.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/savings_source.h"

namespace gauger::tools {
namespace {

struct ReportFlags {
  SavingsOptions source;
  std::string period;
  std::string by = "program";
  std::string basis = "contract";
  std::string list_book;
  Output output = Output::table;
};

Result<billing::SavingsRequest> request_of(const ReportFlags& flags) {
  billing::SavingsRequest request;
  TRY(const auto months, parse_month_range(flags.period));
  request.first_month = months.first;
  request.last_month = months.last;
  request.basis = flags.basis == "list" ? billing::PriceBasis::list : billing::PriceBasis::contract;
  request.list_book = flags.list_book;
  return request;
}

Result<void> run_report(const ReportFlags& flags) {
  TRY(const auto by, billing::parse_savings_dimensions(flags.by));
  TRY(const auto request, request_of(flags));
  TRY(const auto source, SavingsSource::open(flags.source));
  TRY(const auto statement, source.statement(request));
  const auto text = flags.output == Output::json  ? billing::savings_json(statement, by)
                    : flags.output == Output::csv ? billing::savings_csv(statement, by)
                                                  : billing::savings_table(statement, by);
  std::fputs(text.c_str(), stdout);
  return success();
}

void add_report(CLI::App& command, Run& run) {
  auto flags = std::make_shared<ReportFlags>();
  auto* report = command.add_subcommand("report", "the savings statement of a period, as of now");
  report->footer(
      "Example: gauger savings report --data ./ledger --period 2027-01 --by team,workload \\\n"
      "           --terms list.yaml frontier.yaml cluster.yaml search-distill.yaml");
  flags->source.add_to(*report);
  report->add_option("--period", flags->period, "2027-01, 2027-01..2027-03, 2027-Q1 or 2027")
      ->required();
  report->add_option("--by", flags->by, "month, program, student, team, project, workload")
      ->default_str("program");
  report->add_option("--basis", flags->basis, "whose price the teacher has")
      ->check(CLI::IsMember({"contract", "list"}))
      ->default_str("contract");
  report->add_option("--list", flags->list_book, "the price book of --basis list, by its id");
  add_output_option(*report, flags->output);
  report->callback([flags, &run] { run = [flags] { return run_report(*flags); }; });
}

}  // namespace

void add_savings_command(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("savings", "what a distillation is worth, net of everything");
  command->require_subcommand(1);
  add_report(*command, run);
}

}  // namespace gauger::tools
