// gauger token: who may use the service. Works on a data directory that nobody serves; on a running
// service the same goes through its API (/v1/tokens).
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "exporters/access/audit_log.h"
#include "exporters/access/token_book.h"
#include "ledger/ledger.h"
#include "ledger/reader.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::string role = "team";
  std::string expires_at;
  std::string id;
  std::string reason;
  exporters::TokenRequest request;
  Output output = Output::table;
};

// The ledger, for writing: unavailable while a service holds it.
struct Opened {
  SystemClock clock;
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<exporters::TokenBook> tokens;
  std::unique_ptr<exporters::AuditLog> audit;
};

Result<std::unique_ptr<Opened>> open(const Options& options) {
  auto opened = std::make_unique<Opened>();
  TRY(opened->ledger, ledger::Ledger::open(options.data, {}, opened->clock));
  const auto documents = opened->ledger->documents();
  TRY(const auto known, documents.list(exporters::system_name_space, exporters::access_token_kind));
  TRY(auto key, exporters::TokenKey::open(options.data, known.empty()));
  TRY(opened->tokens, exporters::TokenBook::load(documents, key));
  TRY(opened->audit, exporters::AuditLog::open(options.data, opened->clock));
  return opened;
}

Result<void> append(Opened& opened, const exporters::AccessToken& token, std::string_view action,
                    const std::string& reason) {
  auto draft = exporters::draft_of(token, "command line", reason);
  TRY(opened.ledger->append_documents({std::move(draft)}));
  TRY(opened.audit->change({"command line", token.principal.name_space, "", std::string(action),
                            token.principal.token_id, "done"}));
  return opened.ledger->close();
}

Result<void> create(Options& options) {
  const auto role = find_name<exporters::AccessRole>(exporters::access_role_names, options.role);
  if (!role)
    return invalid_argument("--role is admin, finance, team, gateway or metrics, not '" +
                            options.role + "'");
  options.request.role = *role;
  if (!options.expires_at.empty()) {
    TRY(options.request.expires_at, parse_instant(options.expires_at));
  }
  TRY(exporters::check(options.request, SystemClock().now()));
  TRY(const auto opened, open(options));
  TRY(const auto made,
      exporters::make_access_token(options.request, opened->tokens->key(), opened->clock.now()));
  TRY(append(*opened, made.token, "token create", options.reason));
  if (options.output == Output::json) {
    auto json = exporters::token_json(made.token);
    json.pop_back();
    fmt::print("{},\"token\":\"{}\"}}\n", json, made.secret);
    return success();
  }
  fmt::print("{}\n", made.secret);
  fmt::print(stderr, "id {}: this is the only time that the token is shown\n",
             made.token.principal.token_id);
  return success();
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, " "));
}

Result<void> list(const Options& options) {
  TRY(const auto reader, ledger::Reader::open(options.data));
  const auto documents = reader->documents();
  TRY(const auto versions,
      documents.list(exporters::system_name_space, exporters::access_token_kind));
  billing::TextTable table(
      {{"id"}, {"name"}, {"namespace"}, {"role"}, {"teams"}, {"created"}, {"expires"}, {"state"}});
  std::string json;
  for (const auto& version : versions) {
    TRY(const auto document, documents.read(version));
    TRY(const auto token, exporters::parse_access_token(document));
    json += (json.empty() ? "\n  " : ",\n  ") + exporters::token_json(token);
    const auto& principal = token.principal;
    table.add({principal.token_id, principal.name, principal.name_space,
               std::string(to_string(principal.role)), joined(principal.teams),
               format_instant(token.created_at),
               token.expires_at ? format_instant(*token.expires_at) : "",
               token.revoked ? "revoked" : "active"});
  }
  if (options.output == Output::json)
    fmt::print("[{}\n]\n", json);
  else
    print_table(table, options.output);
  return success();
}

Result<void> revoke(const Options& options) {
  TRY(const auto opened, open(options));
  for (const auto& name_space : opened->tokens->name_spaces()) {
    auto token = opened->tokens->find_id(name_space, options.id);
    if (!token) continue;
    token->revoked = true;
    TRY(append(*opened, *token, "token revoke", options.reason));
    fmt::print("{} is revoked\n", options.id);
    return success();
  }
  return Error{ErrorCode::not_found, "there is no access token '" + options.id + "'"};
}

}  // namespace

void add_token_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("token", "access tokens of the service");
  command->require_subcommand(1);
  command->footer("Example: gauger token create --data ./ledger --name gateway-eu --role gateway");

  auto* creating = command->add_subcommand("create", "a new token; it is shown once");
  add_data_option(*creating, options->data);
  creating->add_option("--name", options->request.name, "what it is for")->required();
  creating->add_option("--role", options->role, "admin, finance, team, gateway or metrics")
      ->required();
  creating->add_option("--team", options->request.teams, "a team that it is for; may be repeated");
  creating->add_option("--namespace", options->request.name_space, "whose data")
      ->default_str("default");
  creating->add_option("--expires-at", options->expires_at, "when it ends, RFC 3339");
  creating->add_option("--reason", options->reason, "why, for the record");
  add_output_option(*creating, options->output);
  creating->callback([options, &run] { run = [options] { return create(*options); }; });

  auto* listing = command->add_subcommand("list", "every token, without its secret");
  add_data_option(*listing, options->data);
  add_output_option(*listing, options->output);
  listing->callback([options, &run] { run = [options] { return list(*options); }; });

  auto* revoking = command->add_subcommand("revoke", "end a token");
  add_data_option(*revoking, options->data);
  revoking->add_option("id", options->id, "its id, as listed")->required();
  revoking->add_option("--reason", options->reason, "why, for the record");
  revoking->callback([options, &run] { run = [options] { return revoke(*options); }; });
}

}  // namespace gauger::tools
