// gauger savings: what distillations are worth.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "billing/json_value.h"
#include "billing/savings/statement_text.h"
#include "exporters/accounting/savings_source.h"
#include "ledger/ledger.h"
#include "schemas/clock.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/savings_study.h"
#include "tools/gauger/server_options.h"

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
};

std::string statement_id(const billing::SavingsRequest& request) {
  auto id = format_month(request.first_month);
  if (request.last_month != request.first_month) id += ".." + format_month(request.last_month);
  return id + (request.basis == billing::PriceBasis::list ? "/list" : "/contract");
}

// The statement by everything that it can be told apart by, and what it rested on.
std::string sealed_text(const billing::SavingsStatement& statement, const SavingsDocuments& terms) {
  using billing::SavingsDimension;
  billing::JsonValue seal;
  seal["format"] = int64_t{1};
  seal["terms"] = billing::JsonValue::Array();
  for (const auto& source : terms.sources) {
    billing::JsonValue document;
    document["kind"] = source.kind;
    document["id"] = source.id;
    document["sha256"] = source.sha256;
    seal["terms"].push_back(std::move(document));
  }
  auto text = billing::savings_json(
      statement, {SavingsDimension::month, SavingsDimension::program, SavingsDimension::team,
                  SavingsDimension::project, SavingsDimension::workload});
  text.pop_back();
  return "{\"sealed\":" + seal.canonical() + ",\"statement\":" + text + "}";
}

// Finalizing is a block of its own, so that the same figures are complete to a later one.
std::string without_sequence(const std::string& sealed) {
  constexpr std::string_view name = "\"as_of_sequence\":";
  const auto begin = sealed.find(name);
  if (begin == std::string::npos) return sealed;
  const auto end = sealed.find_first_not_of("0123456789", begin + name.size());
  return sealed.substr(0, begin) + sealed.substr(std::min(end, sealed.size()));
}

// Appends a version. A statement that was finalized before is restated only for a reason.
Result<void> append_statement(const FinalizeFlags& flags, const std::string& id,
                              std::string content, std::optional<uint32_t> known) {
  ledger::DocumentDraft draft;
  draft.key = {"default", std::string(exporters::savings_statement_kind), id};
  draft.author = flags.by;
  draft.reason = flags.because;
  draft.content = std::move(content);
  draft.after_version = known.value_or(0);
  const SystemClock clock;
  TRY(auto writer, ledger::Ledger::open(flags.source.data, {}, clock));
  TRY(const auto versions, writer->append_documents({std::move(draft)}));
  TRY(writer->close());
  fmt::print("savings statement {} version {}, in journal block {}, sha256 {}\n", id,
             versions.front().version, versions.front().known_from,
             ledger::to_hex(versions.front().content_hash));
  return success();
}

Result<void> run_finalize(const FinalizeFlags& flags) {
  ReportFlags report;
  report.period = flags.period;
  report.basis = flags.basis;
  report.list_book = flags.list_book;
  TRY(const auto request, request_of(report));
  const auto id = statement_id(request);
  std::string content;
  std::optional<uint32_t> known;
  {
    TRY(const auto source, open_savings(flags.source));
    TRY(const auto statement, source.statement(request));
    if (billing::is_blocked(statement))
      return Error{ErrorCode::refused, "the statement of " + flags.period +
                                           " has problems that `gauger savings report` lists; "
                                           "nothing was finalized"};
    content = sealed_text(statement, source.documents());
    const auto documents = source.reader().documents();
    TRY(const auto latest,
        documents.latest({"default", std::string(exporters::savings_statement_kind), id}));
    if (latest) {
      known = latest->version;
      TRY(const auto kept, documents.read(*latest));
      if (without_sequence(kept.content) == without_sequence(content)) {
        fmt::print("savings statement {} version {} says the same already\n", id, latest->version);
        return success();
      }
      if (flags.because.empty())
        return Error{ErrorCode::conflict, "the statement " + id +
                                              " was finalized with other figures; --because says "
                                              "why it is restated"};
    }
  }
  return append_statement(flags, id, std::move(content), known);
}

struct ShowFlags {
  std::string data;
  std::string id;
  uint32_t version = 0;
  Output output = Output::table;
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
  flags->source.add_to(*finalize);
  finalize->add_option("--period", flags->period, "2027-01, 2027-01..2027-03, 2027-Q1 or 2027")
      ->required();
  finalize->add_option("--basis", flags->basis, "whose price the teacher has")
      ->check(CLI::IsMember({"contract", "list"}))
      ->default_str("contract");
  finalize->add_option("--list", flags->list_book, "the price book of --basis list, by its id");
  finalize->add_option("--by", flags->by, "who answers for it")->required();
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
  add_data_option(*show, shown->data);
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
