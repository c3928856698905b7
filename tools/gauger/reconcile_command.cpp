// gauger reconcile: a provider's bill beside what the ledger metered and rated.
#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "billing/contracts/allocation_document.h"
#include "billing/json_value.h"
#include "billing/reconciliation/statement_diff.h"
#include "billing/reconciliation/statement_reader.h"
#include "billing/text_table.h"
#include "exporters/accounting/reconcile_posting.h"
#include "exporters/accounting/reconcile_source.h"
#include "exporters/accounting/reconciliation_list.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/report_file.h"
#include "tools/gauger/server_documents.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

constexpr size_t listed_default = 30;

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
}

// --- load -----------------------------------------------------------------------------------
struct LoadOptions {
  std::string data;
  std::vector<std::string> files;
  std::string format;
  std::string provider;
  std::string period;
  std::string zone = "UTC";
  std::string currency;
  std::vector<std::string> accounts;
  std::vector<std::string> excluded_tiers;
  std::vector<std::string> where;
  std::string cost = "billed";
  std::string mapping;
  std::string author = "gauger reconcile load";
  bool dry_run = false;
};

Result<billing::ReadOptions> read_options(const LoadOptions& options) {
  billing::ReadOptions read;
  read.provider = options.provider;
  TRY(read.zone, TimeZone::find(options.zone));
  read.currency = options.currency;
  if (!options.period.empty()) {
    TRY(read.days, parse_days(options.period));
  }
  read.accounts = options.accounts;
  read.excluded_tiers = options.excluded_tiers;
  for (const auto& filter : options.where) {
    const auto equals = filter.find('=');
    if (equals == std::string::npos)
      return invalid_argument("--where takes COLUMN=PATTERN, not '" + filter + "'");
    read.where.push_back(
        {filter.substr(0, equals), billing::Pattern::glob(filter.substr(equals + 1))});
  }
  const auto cost = find_name<billing::FocusCost>(billing::focus_cost_names, options.cost);
  if (!cost) return invalid_argument("--cost is billed, effective, contracted or list");
  read.cost = *cost;
  return read;
}

Result<billing::Statement> read_files(const LoadOptions& options,
                                      const billing::StatementMapping* mapping) {
  std::vector<std::string> texts;
  for (const auto& path : options.files) {
    TRY(auto text, read_report_file(path));
    texts.push_back(std::move(text));
  }
  std::vector<billing::ReportFile> files;
  for (size_t i = 0; i < texts.size(); ++i) files.push_back({options.files[i], texts[i]});
  TRY(auto read, read_options(options));
  read.mapping = mapping;
  if (options.format.empty() && mapping != nullptr && !mapping->csv.columns.empty())
    return billing::read_statement(billing::StatementFormat::mapped_csv, files, read);
  if (options.format.empty()) {
    TRY(const auto format, billing::guess_format(files.front()));
    return billing::read_statement(format, files, read);
  }
  const auto format =
      find_name<billing::StatementFormat>(billing::statement_format_names, options.format);
  if (!format)
    return invalid_argument(
        fmt::format("--format is one of {}", fmt::join(billing::statement_format_names, ", ")));
  return billing::read_statement(*format, files, read);
}

void print_statement(const billing::Statement& statement, std::string_view what) {
  const auto days = statement.coverage.whole();
  fmt::print("{}: {}\n  {} lines, {} to {} ({})\n", statement.id(), what, statement.lines.size(),
             format_day(days.from), format_day(days.until - 1), statement.coverage.zone.name());
  std::map<std::string_view, billing::Rational> totals;
  for (const auto& line : statement.lines)
    if (line.has_amount) totals[statement.texts.text(line.currency)] += line.amount;
  for (const auto& [currency, total] : totals)
    fmt::print("  {} {}\n", billing::format_amount(total, 2), currency);
  for (const auto& note : statement.notes) fmt::print("  note: {}\n", note);
}

Result<void> run_load(const LoadOptions& options) {
  std::optional<billing::StatementMapping> mapping;
  if (!options.mapping.empty()) {
    TRY(const auto text, read_text_file(options.mapping));
    TRY(mapping, billing::parse_statement_mapping(text, options.mapping));
  }
  TRY(const auto statement, read_files(options, mapping ? &*mapping : nullptr));
  auto content = billing::statement_text(statement);
  if (options.dry_run) {
    print_statement(statement, "read, not stored");
    return success();
  }
  if (content.size() > limits::document_bytes_max)
    return invalid_argument(fmt::format(
        "the statement is {} bytes in the ledger's form, more than {}: load it in parts, by "
        "--period, --where or --account",
        content.size(), limits::document_bytes_max));
  TRY(const auto reader, ledger::Reader::open(options.data));
  const auto documents = reader->documents();
  const ledger::DocumentKey key{"default", std::string(statement_kind), statement.id()};
  TRY(const auto latest, documents.latest(key));
  if (latest && latest->content_hash == ledger::sha256(content)) {
    print_statement(statement, fmt::format("known already, as version {}", latest->version));
    return success();
  }
  std::optional<billing::Statement> before;
  if (latest) {
    TRY(const auto document, documents.read(*latest));
    TRY(before, billing::parse_statement_text(document.content, key.id));
  }
  ledger::DocumentDraft draft;
  draft.key = key;
  draft.applies_from = statement.coverage.zone.day_begin(statement.coverage.whole().from);
  draft.author = options.author;
  draft.media_type = "text/csv";
  draft.content = std::move(content);
  draft.after_version = latest ? latest->version : 0;
  TRY(const auto versions, append_documents(options.data, {std::move(draft)}));
  print_statement(statement, fmt::format("version {}", versions.front().version));
  if (before)
    print("  restated since version " + std::to_string(latest->version) + ": " +
          statement_diff_table(diff_statements(*before, statement), listed_default));
  return success();
}

void add_load(CLI::App& parent, Run& run) {
  auto options = std::make_shared<LoadOptions>();
  auto* command = parent.add_subcommand("load", "take a provider's statement in");
  command->footer(
      "Example: gauger reconcile load --data ./ledger cost_report_page1.json "
      "cost_report_page2.json\n"
      "Pages of one report are joined. What is loaded again is known; what changed is a new "
      "version.");
  add_data_option(*command, options->data);
  command->add_option("files", options->files, "the report, a page or more; .gz is read as it is")
      ->required();
  command
      ->add_option("--format", options->format,
                   "anthropic_cost, anthropic_usage, openai_costs, openai_usage, aws_cur, focus or "
                   "mapped_csv; else by what stands in the file")
      ->option_text("NAME");
  command->add_option("--provider", options->provider, "whose it is, as the ledger names it");
  command->add_option("--period", options->period,
                      "what it covers: a month, a day, or FROM/UNTIL; else what it says");
  command->add_option("--zone", options->zone, "the time zone of its days")->capture_default_str();
  command->add_option("--currency", options->currency, "of amounts that name none");
  command->add_option("--account", options->accounts, "it covers only this account; repeatable")
      ->allow_extra_args(false);
  command
      ->add_option("--excludes-tier", options->excluded_tiers,
                   "it leaves this service tier out; repeatable")
      ->allow_extra_args(false);
  command->add_option("--where", options->where, "of a CSV only rows with COLUMN=PATTERN")
      ->allow_extra_args(false);
  command->add_option("--cost", options->cost, "of FOCUS: billed, effective, contracted or list")
      ->capture_default_str();
  command->add_option("--mapping", options->mapping, "the statement mapping, for mapped_csv");
  command->add_option("--by", options->author, "who loads it");
  command->add_flag("--dry-run", options->dry_run, "read and check it, store nothing");
  command->callback([options, &run] { run = [options] { return run_load(*options); }; });
}

// --- report, export -------------------------------------------------------------------------
struct ReportOptions {
  ReconcileOptions reconcile;
  ServerOptions server;
  size_t limit = listed_default;
  Output output = Output::table;
  std::string what = "dispute";
  std::string to;
};

// A service reconciles with what was posted to it.
Result<void> check_for_server(const ReconcileOptions& options) {
  if (!options.terms.files.empty() || options.terms.known_at || !options.mapping.empty() ||
      options.statements.size() > 1)
    return invalid_argument(
        "--terms, --known-at, --mapping and a second --statement go with --data");
  return success();
}

Result<void> run_report(const ReportOptions& options) {
  if (options.server.given()) {
    TRY(check_for_server(options.reconcile));
    QueryText query("/v1/reconciliations/report");
    query.add("provider", options.reconcile.provider)
        .add("period", options.reconcile.period)
        .add("book", options.reconcile.book);
    if (!options.reconcile.statements.empty())
      query.add("statement", options.reconcile.statements.front());
    exporters::ClientRequest request;
    request.target = query.text();
    return options.server.print(std::move(request), options.output);
  }
  TRY(const auto run, run_reconciliation(options.reconcile));
  print(options.output == Output::json  ? reconciliation_json(run->result, options.limit)
        : options.output == Output::csv ? reconciliation_csv(run->result)
                                        : reconciliation_table(run->result, options.limit));
  return success();
}

void add_report(CLI::App& parent, Run& run) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = parent.add_subcommand("report", "every difference, its class and its evidence");
  command->footer(
      "Example: gauger reconcile report --data ./ledger --provider anthropic --period 2026-08 \\\n"
      "           --book prices.yaml");
  options->reconcile.add_to(*command, &options->server);
  command->add_option("--limit", options->limit, "how many variances are listed")
      ->capture_default_str();
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_report(*options); }; });
}

Result<void> run_export(const ReportOptions& options) {
  if (options.what != "dispute" && options.what != "variances")
    return invalid_argument("--what is dispute or variances");
  TRY(const auto run, run_reconciliation(options.reconcile));
  return write_document(options.to, options.what == "dispute" ? dispute_csv(run->result)
                                                              : reconciliation_csv(run->result));
}

void add_export(CLI::App& parent, Run& run) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = parent.add_subcommand("export", "the dispute list for the provider, as CSV");
  command->footer(
      "Example: gauger reconcile export --data ./ledger --provider anthropic --period 2026-08 \\\n"
      "           --book prices.yaml --to dispute.csv");
  options->reconcile.add_to(*command);
  command
      ->add_option("--what", options->what,
                   "dispute: what is billed above our figures; variances: everything")
      ->capture_default_str();
  command->add_option("--to", options->to, "the file; else standard output");
  command->callback([options, &run] { run = [options] { return run_export(*options); }; });
}

// --- sign-off -------------------------------------------------------------------------------
struct SignOptions {
  ReconcileOptions reconcile;
  ServerOptions server;
  std::string author;
  std::string reason;
  std::vector<std::string> rules;
  std::string attribution;
  Output output = Output::table;
};

void add_signature(CLI::App& command, SignOptions& options) {
  options.reconcile.add_to(command, &options.server);
  command.add_option("--by", options.author, "who decides it; with --server its token says");
  command.add_option("--why", options.reason, "why, in words")->required();
}

Result<billing::JsonValue> server_body(const SignOptions& options) {
  TRY(check_for_server(options.reconcile));
  if (!options.author.empty()) return invalid_argument("--by goes with --data");
  billing::JsonValue body;
  body["provider"] = options.reconcile.provider;
  body["reason"] = options.reason;
  put_text(body, "period", options.reconcile.period);
  put_text(body, "book", options.reconcile.book);
  if (!options.reconcile.statements.empty())
    body["statement"] = options.reconcile.statements.front();
  return body;
}

Result<void> check_author(const SignOptions& options) {
  if (options.author.empty()) return invalid_argument("--by says who decides it");
  return success();
}

// The last document of that kind for this reconciliation.
Result<std::optional<ledger::Document>> latest_of(const std::string& data, std::string_view kind,
                                                  const std::string& id) {
  TRY(const auto reader, ledger::Reader::open(data));
  const auto documents = reader->documents();
  TRY(const auto latest, documents.latest({"default", std::string(kind), id}));
  if (!latest) return std::optional<ledger::Document>();
  TRY(auto document, documents.read(*latest));
  return std::optional(std::move(document));
}

ledger::DocumentDraft draft_of(const SignOptions& options, const billing::Reconciliation& result,
                               std::string_view kind, std::string content,
                               const std::optional<ledger::Document>& latest) {
  ledger::DocumentDraft draft;
  draft.key = {"default", std::string(kind), reconciliation_id(result)};
  draft.applies_from = result.grain.zone.day_begin(result.grain.days.from);
  draft.author = options.author;
  draft.reason = options.reason;
  draft.content = std::move(content);
  draft.after_version = latest ? latest->version.version : 0;
  return draft;
}

Result<void> run_sign_off(const SignOptions& options) {
  if (options.server.given()) {
    TRY(const auto body, server_body(options));
    return post_document(options.server, "/v1/reconciliations", body);
  }
  TRY(check_author(options));
  TRY(const auto run, run_reconciliation(options.reconcile));
  const auto id = reconciliation_id(run->result);
  TRY(const auto latest, latest_of(options.reconcile.data, reconciliation_kind, id));
  auto content = sign_off_json(run->result, run->versions);
  std::string signed_hash;
  if (latest) {
    TRY(const auto before, billing::parse_sign_off(latest->content, id));
    signed_hash = before.report_hash;
  }
  if (signed_hash == reconciliation_hash(run->result)) {
    fmt::print("{} was signed off already, by {} at {}: {}\n", id, latest->version.author,
               format_instant(latest->version.recorded_at), latest->version.reason);
    return success();
  }
  TRY(const auto versions,
      append_documents(options.reconcile.data, {draft_of(options, run->result, reconciliation_kind,
                                                         std::move(content), latest)}));
  const auto& version = versions.front();
  fmt::print("{} signed off by {} at {}, version {}\n", id, version.author,
             format_instant(version.recorded_at), version.version);
  fmt::print("difference {} {}, matched {}, explained {}\n",
             billing::format_amount(run->result.difference(), 2), run->result.grain.currency.code(),
             billing::share_text(run->result.shares.matched),
             billing::share_text(run->result.shares.explained));
  return success();
}

void add_sign_off(CLI::App& parent, Run& run) {
  auto options = std::make_shared<SignOptions>();
  auto* command = parent.add_subcommand("sign-off", "put on record that a reconciliation is right");
  command->footer(
      "Example: gauger reconcile sign-off --data ./ledger --provider anthropic --period 2026-08 "
      "\\\n"
      "           --book prices.yaml --by 'M. Weber' --why 'duplicates credited on the next bill'");
  add_signature(*command, *options);
  command->callback([options, &run] { run = [options] { return run_sign_off(*options); }; });
}

// --- post -----------------------------------------------------------------------------------
Result<billing::PostingRules> parse_rules(const std::vector<std::string>& texts) {
  billing::PostingRules rules;
  for (const std::string_view text : texts) {
    const auto equals = std::min(text.find('='), text.size());
    TRY(exporters::add_posting_rule(
        text.substr(0, equals), text.substr(std::min(equals + 1, text.size())), "--rule", rules));
  }
  return rules;
}

Result<void> post_at_server(const SignOptions& options) {
  if (!options.attribution.empty())
    return invalid_argument("--attribution goes with --data; a service has its own");
  TRY(auto body, server_body(options));
  for (const auto& rule : options.rules) {
    const auto equals = std::min(rule.find('='), rule.size());
    body["rules"][rule.substr(0, equals)] = rule.substr(std::min(equals + 1, rule.size()));
  }
  return post_document(options.server, "/v1/reconciliations/postings", body, options.output);
}

Result<void> run_post(const SignOptions& options) {
  TRY(const auto rules, parse_rules(options.rules));
  if (options.server.given()) return post_at_server(options);
  TRY(check_author(options));
  TRY(const auto run, run_reconciliation(options.reconcile));
  TRY(const auto team_of,
      read_team_of(options.attribution, options.reconcile.provider, run->result.grain.zone));
  TRY(const auto view, LedgerView::open(options.reconcile.data));
  TRY(auto made, exporters::posting_of(view, *run, rules, team_of));
  print(options.output == Output::json ? made.draft.content : billing::posting_table(made.posting));
  if (made.same) {
    fmt::print(stderr, "posted already, as version {}\n", made.same->version);
    return success();
  }
  for (const auto& line : made.change)
    fmt::print(stderr, "change of {} {}: {}\n", line.variance_class,
               line.team.empty() ? billing::unallocated : std::string_view(line.team),
               made.posting.currency.format_minor(line.amount_minor));
  made.draft.author = options.author;
  made.draft.reason = options.reason;
  TRY(const auto versions, append_documents(options.reconcile.data, {std::move(made.draft)}));
  fmt::print(stderr, "posted as version {}\n", versions.front().version);
  return success();
}

void add_post(CLI::App& parent, Run& run) {
  auto options = std::make_shared<SignOptions>();
  auto* command =
      parent.add_subcommand("post", "hand the remainder down, so that teams add up to the bill");
  command->footer(
      "Example: gauger reconcile post --data ./ledger --provider anthropic --period 2026-08 \\\n"
      "           --book prices.yaml --rule rate=by_use --rule missing_in_ledger=by_account \\\n"
      "           --attribution teams.yaml --by 'M. Weber' --why 'August is closed'");
  add_signature(*command, *options);
  command
      ->add_option("--rule", options->rules,
                   "CLASS=unallocated|by_use|by_account; repeatable; default unallocated")
      ->allow_extra_args(false);
  command->add_option("--attribution", options->attribution,
                      "which team accounts and api keys belong to, for by_account");
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_post(*options); }; });
}

// --- list -----------------------------------------------------------------------------------
struct ListOptions {
  std::string data;
  ServerOptions server;
  Output output = Output::table;
};

Result<void> run_list(const ListOptions& options) {
  if (options.server.given()) {
    exporters::ClientRequest request;
    request.target = "/v1/reconciliations";
    return options.server.print(std::move(request), options.output);
  }
  TRY(const auto reader, ledger::Reader::open(options.data));
  TRY(const auto lists, exporters::ReconciliationLists::read(reader->documents()));
  print(options.output == Output::json  ? lists.json()
        : options.output == Output::csv ? lists.csv()
                                        : lists.text());
  return success();
}

void add_list(CLI::App& parent, Run& run) {
  auto options = std::make_shared<ListOptions>();
  auto* command =
      parent.add_subcommand("list", "statements, and the trend of what was matched and explained");
  command->footer("Example: gauger reconcile list --data ./ledger --output csv");
  options->server.add_to(*command, options->data);
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_list(*options); }; });
}

}  // namespace

void add_reconcile_command(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("reconcile", "does the provider's bill match?");
  command->require_subcommand(1);
  add_load(*command, run);
  add_report(*command, run);
  add_sign_off(*command, run);
  add_post(*command, run);
  add_list(*command, run);
  add_export(*command, run);
}

}  // namespace gauger::tools
