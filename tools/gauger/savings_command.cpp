// gauger savings: what distillations are worth.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "billing/savings/statement_text.h"
#include "exporters/accounting/savings_finalizing.h"
#include "ledger/ledger.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/savings_study.h"
#include "tools/gauger/server_documents.h"

namespace gauger::tools {
namespace {

struct ReportFlags {
  SavingsOptions source;
  std::string period;
  std::string by = "program";
  std::string basis = "contract";
  std::string list_book;
  ServerOptions server;
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

Result<void> ask_server(const ReportFlags& flags) {
  if (!flags.source.terms.empty())
    return invalid_argument("--terms goes with --data; a service has its own terms");
  QueryText query("/v1/savings");
  query.add("period", flags.period)
      .add("by", flags.by)
      .add("basis", flags.basis)
      .add("list", flags.list_book);
  exporters::ClientRequest request;
  request.target = query.text();
  return flags.server.print(std::move(request), flags.output);
}

Result<void> run_report(const ReportFlags& flags) {
  if (flags.server.given()) return ask_server(flags);
  TRY(const auto by, billing::parse_savings_dimensions(flags.by));
  TRY(const auto request, request_of(flags));
  TRY(const auto source, open_savings(flags.source));
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
  flags->source.add_to(*report, "--terms", &flags->server);
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

// --- finalized statements ----------------------------------------------------------------------

struct FinalizeFlags {
  SavingsOptions source;
  std::string period;
  std::string basis = "contract";
  std::string list_book;
  std::string by;
  std::string because;
  ServerOptions server;
};

Result<void> finalize_at_server(const FinalizeFlags& flags) {
  if (!flags.source.terms.empty() || !flags.by.empty())
    return invalid_argument("--terms and --by go with --data; a service knows its own");
  billing::JsonValue body;
  body["period"] = flags.period;
  body["basis"] = flags.basis;
  put_text(body, "list", flags.list_book);
  put_text(body, "reason", flags.because);
  return post_document(flags.server, "/v1/savings/statements", body);
}

Result<void> run_finalize(const FinalizeFlags& flags) {
  if (flags.server.given()) return finalize_at_server(flags);
  if (flags.by.empty()) return invalid_argument("--by says who answers for it");
  ReportFlags report;
  report.period = flags.period;
  report.basis = flags.basis;
  report.list_book = flags.list_book;
  TRY(const auto request, request_of(report));
  exporters::SavingsFinalizing made;
  {
    TRY(const auto source, open_savings(flags.source));
    TRY(made, exporters::finalize_savings(source, request, flags.because));
  }
  const auto id = made.draft.key.id;
  if (made.same) {
    fmt::print("savings statement {} version {} says the same already\n", id, made.same->version);
    return success();
  }
  made.draft.author = flags.by;
  TRY(const auto versions, append_documents(flags.source.data, {std::move(made.draft)}));
  fmt::print("savings statement {} version {}, in journal block {}, sha256 {}\n", id,
             versions.front().version, versions.front().known_from,
             ledger::to_hex(versions.front().content_hash));
  return success();
}

struct ShowFlags {
  std::string data;
  std::string id;
  uint32_t version = 0;
  Output output = Output::table;
  ServerOptions server;
};

Result<void> run_list(const ShowFlags& flags) {
  TRY(const auto reader, ledger::Reader::open(flags.data));
  billing::TextTable table({{"id"},
                            {"version", billing::Align::right},
                            {"finalized_at"},
                            {"by"},
                            {"because"},
                            {"sha256"}});
  std::string json;
  TRY(reader->documents().each(
      "default", exporters::savings_statement_kind,
      [&](const ledger::DocumentVersion& version) -> Result<bool> {
        const auto recorded_at = format_instant(version.recorded_at);
        const auto hash = ledger::to_hex(version.content_hash);
        table.add({version.key.id, std::to_string(version.version), recorded_at, version.author,
                   version.reason, hash});
        json += fmt::format(
            "{}\n  {{\"id\": {}, \"version\": {}, \"finalized_at\": {}, \"by\": {}, "
            "\"because\": {}, \"sha256\": {}}}",
            json.empty() ? "" : ",", json_text(version.key.id), version.version,
            json_text(recorded_at), json_text(version.author), json_text(version.reason),
            json_text(hash));
        return true;
      }));
  if (flags.output == Output::json)
    fmt::print("[{}\n]\n", json);
  else
    print_table(table, flags.output);
  return success();
}

Result<void> run_show(const ShowFlags& flags) {
  if (flags.server.given()) {
    if (flags.version != 0) return invalid_argument("--version goes with --data");
    exporters::ClientRequest request;
    request.target = "/v1/savings/statements/" + flags.id;
    return flags.server.print(std::move(request), Output::json);
  }
  TRY(const auto reader, ledger::Reader::open(flags.data));
  const auto documents = reader->documents();
  const ledger::DocumentKey key{"default", std::string(exporters::savings_statement_kind),
                                flags.id};
  TRY(const auto found,
      flags.version == 0 ? documents.latest(key) : documents.version(key, flags.version));
  if (!found)
    return Error{ErrorCode::not_found, "there is no finalized statement '" + flags.id + "'"};
  TRY(const auto document, documents.read(*found));
  std::puts(document.content.c_str());
  return success();
}

void add_finalized(CLI::App& savings, Run& run) {
  auto flags = std::make_shared<FinalizeFlags>();
  auto* finalize = savings.add_subcommand("finalize", "keep a period's statement for good");
  finalize->footer(
      "Example: gauger savings finalize --data ./ledger --period 2027-01 --by finance@acme");
  flags->source.add_to(*finalize, "--terms", &flags->server);
  finalize->add_option("--period", flags->period, "2027-01, 2027-01..2027-03, 2027-Q1 or 2027")
      ->required();
  finalize->add_option("--basis", flags->basis, "whose price the teacher has")
      ->check(CLI::IsMember({"contract", "list"}))
      ->default_str("contract");
  finalize->add_option("--list", flags->list_book, "the price book of --basis list, by its id");
  finalize->add_option("--by", flags->by, "who answers for it; with --server its token says");
  finalize->add_option("--because", flags->because, "why a finalized statement is restated");
  finalize->callback([flags, &run] { run = [flags] { return run_finalize(*flags); }; });

  auto shown = std::make_shared<ShowFlags>();
  auto* list = savings.add_subcommand("list", "the finalized statements");
  list->footer("Example: gauger savings list --data ./ledger");
  add_data_option(*list, shown->data);
  add_output_option(*list, shown->output);
  list->callback([shown, &run] { run = [shown] { return run_list(*shown); }; });
  auto* show = savings.add_subcommand("show", "a finalized statement, byte for byte");
  show->footer("Example: gauger savings show --data ./ledger 2027-01/contract");
  shown->server.add_to(*show, shown->data);
  show->add_option("id", shown->id, "such as 2027-01/contract")->required();
  show->add_option("--version", shown->version, "else the last one");
  show->callback([shown, &run] { run = [shown] { return run_show(*shown); }; });
}

}  // namespace

void add_savings_command(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("savings", "what a distillation is worth, net of everything");
  command->require_subcommand(1);
  add_report(*command, run);
  add_finalized(*command, run);
  add_savings_studies(*command, run);
}

}  // namespace gauger::tools
