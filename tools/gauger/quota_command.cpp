// gauger quota: what teams may use, and how far they are.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "billing/document.h"
#include "billing/json_value.h"
#include "billing/quotas/quota_document.h"
#include "ledger/ledger.h"
#include "ledger/reader.h"
#include "schemas/clock.h"
#include "schemas/limits.h"
#include "schemas/money.h"
#include "tools/gauger/command.h"
#include "tools/gauger/document_file.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/quota_store.h"
#include "tools/gauger/server_options.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::string name_space = "default";
  std::vector<std::string> files;
  std::string id;
  std::string author;
  std::string reason;
  FilterOptions attributes;
  std::string model_tier;
  int64_t requests = 1;
  std::vector<std::string> amounts;  // meter=count
  ServerOptions server;
  Output output = Output::table;
};

Result<void> append(const Options& options, std::vector<ledger::DocumentDraft> drafts) {
  const SystemClock clock;
  TRY(const auto ledger, ledger::Ledger::open(options.data, {}, clock));
  for (auto& draft : drafts) {
    draft.author = options.author;
    draft.reason = options.reason;
  }
  TRY(const auto versions, ledger->append_documents(std::move(drafts)));
  for (const auto& version : versions)
    fmt::print("quota {} version {}, known from block {}\n", version.key.id, version.version,
               version.known_from);
  return ledger->close();
}

Result<void> run_post(const Options& options) {
  TRY(const auto reader, ledger::Reader::open(options.data));
  std::vector<ledger::DocumentDraft> drafts;
  for (const auto& file : options.files) {
    TRY(const auto text, read_document(file));
    TRY(const auto quota, billing::parse_quota(text, file));
    TRY(ledger::check(quota, reader->config().grain));
    TRY(auto draft, quota_draft(text, file, options.name_space));
    drafts.push_back(std::move(draft));
  }
  return append(options, std::move(drafts));
}

Result<void> run_remove(const Options& options) {
  TRY(const auto reader, ledger::Reader::open(options.data));
  const ledger::DocumentKey key{options.name_space, "quota", options.id};
  TRY(const auto latest, reader->documents().latest(key));
  if (!latest || latest->content_bytes == 0)
    return Error{ErrorCode::not_found, "there is no quota '" + options.id + "'"};
  ledger::DocumentDraft draft;
  draft.key = key;
  draft.media_type = "application/yaml";
  draft.after_version = latest->version;
  return append(options, {std::move(draft)});
}

std::string amount(const ledger::QuotaAnswer& answer, Int128 value) {
  return billing::format_amount(answer.measure, value);
}

std::string json_of(const ledger::QuotaAnswer& answer) {
  return fmt::format(
      "{{\"quota\": {}, \"measure\": \"{}\", \"mode\": \"{}\", \"limit\": \"{}\", \"used\": "
      "\"{}\", "
      "\"held\": \"{}\", \"overrun\": \"{}\", \"requested\": \"{}\", \"exceeded\": {}, "
      "\"unpriced\": {}, \"warn_percent\": {}, \"window_from\": \"{}\", \"resets_at\": \"{}\"}}",
      json_text(answer.quota), ledger::to_string(answer.measure),
      ledger::quota_mode_names[static_cast<size_t>(answer.mode)], amount(answer, answer.limit),
      amount(answer, answer.used), amount(answer, answer.held), amount(answer, answer.overrun),
      amount(answer, answer.requested), answer.exceeded, answer.unpriced, answer.warn_percent,
      format_instant(answer.window_from), format_instant(answer.resets_at));
}

void print_answers(const std::vector<ledger::QuotaAnswer>& answers, const Options& options,
                   std::string_view head) {
  if (options.output == Output::json) {
    std::string list;
    for (const auto& answer : answers) list += (list.empty() ? "" : ", ") + json_of(answer);
    fmt::print("{{{}\"quotas\": [{}]}}\n", head, list);
    return;
  }
  billing::TextTable table({{"quota"},
                            {"measure"},
                            {"mode"},
                            {"limit", billing::Align::right},
                            {"used", billing::Align::right},
                            {"held", billing::Align::right},
                            {"overrun", billing::Align::right},
                            {"requested", billing::Align::right},
                            {"exceeded"},
                            {"resets at"}});
  for (const auto& answer : answers)
    table.add({answer.quota, ledger::to_string(answer.measure),
               std::string(ledger::quota_mode_names[static_cast<size_t>(answer.mode)]),
               amount(answer, answer.limit), amount(answer, answer.used),
               amount(answer, answer.held), amount(answer, answer.overrun),
               amount(answer, answer.requested), answer.exceeded ? "yes" : "no",
               format_instant(answer.resets_at)});
  print_table(table, options.output);
}

Result<void> run_list(const Options& options) {
  TRY(const auto reader, ledger::Reader::open(options.data));
  TRY(auto quotas, read_quotas(reader->documents(), options.name_space));
  const auto now = SystemClock().now();
  TRY(const auto book, reader->quotas(std::move(quotas), {}, now));
  print_answers(book->list(options.name_space, now), options,
                fmt::format("\"as_of_sequence\": {}, ", reader->head().sequence));
  return success();
}

Result<ledger::QuotaRequest> request_of(const Options& options) {
  ledger::QuotaRequest request;
  for (auto& filter : options.attributes.filters()) {
    if (filter.dimension == ledger::Dimension::name_space)
      request.name_space = filter.value;
    else
      request.attributes.push_back(std::move(filter));
  }
  request.model_tier = options.model_tier;
  request.amounts.requests = options.requests;
  for (const auto& text : options.amounts) {
    const auto equals = std::min(text.find('='), text.size());
    const auto meter = find_meter(std::string_view(text).substr(0, equals));
    const auto count = parse_decimal(equals < text.size() ? text.substr(equals + 1) : "", 0);
    if (!meter || !count || count.value() < 0 || count.value() > limits::count_max)
      return invalid_argument("'" + text + "' is not an amount such as input_uncached=1000");
    request.amounts.counts[static_cast<size_t>(*meter)] = static_cast<int64_t>(count.value());
  }
  return request;
}

Result<void> ask_server(const Options& options, const ledger::QuotaRequest& request) {
  billing::JsonValue body;
  for (const auto& filter : request.attributes)
    body[ledger::dimension_names[static_cast<size_t>(filter.dimension)]] = filter.value;
  if (!request.model_tier.empty()) body["model_tier"] = request.model_tier;
  body["requests"] = request.amounts.requests;
  for (size_t i = 0; i < meter_count; ++i)
    if (request.amounts.counts[i] != 0) body["counts"][meter_names[i]] = request.amounts.counts[i];
  exporters::ClientRequest asked;
  asked.method = exporters::Method::post;
  asked.target = "/v1/quotas/check";
  asked.content_type = "application/json";
  asked.body = body.canonical();
  TRY(const auto answer, options.server.ask(asked));
  TRY(const auto decision, billing::parse_json(answer, "the answer"));
  if (options.output == Output::json) {
    fmt::print("{}\n", answer);
  } else {
    TRY(options.server.print(asked, options.output));
  }
  const auto* allowed = decision.find("allowed");
  if (allowed == nullptr || allowed->text != "true")
    return Error{ErrorCode::refused, "the request would pass a hard quota"};
  return success();
}

Result<void> run_check(const Options& options) {
  TRY(const auto request, request_of(options));
  if (options.server.given()) return ask_server(options, request);
  TRY(const auto reader, ledger::Reader::open(options.data));
  TRY(auto quotas, read_quotas(reader->documents(), request.name_space));
  const auto now = SystemClock().now();
  TRY(const auto book, reader->quotas(std::move(quotas), {}, now));
  const auto decision = book->check(request, now);
  print_answers(decision.answers, options,
                fmt::format("\"allowed\": {}, \"as_of_sequence\": {}, ", decision.allowed,
                            decision.as_of_sequence));
  if (!decision.allowed) return Error{ErrorCode::refused, "the request would pass a hard quota"};
  return success();
}

void add_common(CLI::App& command, const std::shared_ptr<Options>& options) {
  add_data_option(command, options->data);
  command.add_option("--namespace", options->name_space, "whose quotas  (default: default)");
}

void add_authorship(CLI::App& command, const std::shared_ptr<Options>& options) {
  command.add_option("--author", options->author, "who decides it");
  command.add_option("--reason", options->reason, "why");
}

}  // namespace

void add_quota_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("quota", "what teams may use, and how far they are");
  command->require_subcommand(1);

  auto* post = command->add_subcommand("post", "set quotas from documents, or change them");
  post->footer("Example: gauger quota post --data ./ledger search-month.yaml --author ada");
  add_common(*post, options);
  post->add_option("files", options->files, "quota documents")->required();
  add_authorship(*post, options);
  post->callback([options, &run] { run = [options] { return run_post(*options); }; });

  auto* remove = command->add_subcommand("remove", "end a quota; its history stays");
  add_common(*remove, options);
  remove->add_option("id", options->id, "the quota")->required();
  add_authorship(*remove, options);
  remove->callback([options, &run] { run = [options] { return run_remove(*options); }; });

  auto* list = command->add_subcommand("list", "limits and balances of the current windows");
  list->footer("Example: gauger quota list --data ./ledger --output json");
  add_common(*list, options);
  add_output_option(*list, options->output);
  list->callback([options, &run] { run = [options] { return run_list(*options); }; });

  auto* check = command->add_subcommand("check", "would this request be allowed? Exit code 1: no");
  check->footer(
      "Example: gauger quota check --data ./ledger --team search --model claude-opus \\\n"
      "           --amount input_uncached=20000 --amount output_text=4000");
  options->server.add_to(*check, options->data);
  options->attributes.add_to(*check);
  check->add_option("--model-tier", options->model_tier, "the model's tier");
  check->add_option("--requests", options->requests, "how many  (default: 1)");
  check->add_option("--amount", options->amounts, "METER=COUNT, an upper bound; may be repeated");
  add_output_option(*check, options->output);
  check->callback([options, &run] { run = [options] { return run_check(*options); }; });
}

}  // namespace gauger::tools
