// Access tokens and the audit log, for admins of a namespace.
#include "exporters/api/answers.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"
#include "exporters/api/idempotency.h"

namespace gauger::exporters {
namespace {

Result<TokenRequest> parse_request(const billing::Node& node) {
  TRY(auto fields, billing::Fields::of("the body", node, "a token"));
  TokenRequest request;
  TRY(request.name, text_of(fields, "name"));
  TRY(request.name_space, text_or(fields, "namespace", ""));
  TRY(const auto role, text_of(fields, "role"));
  const auto found = find_name<AccessRole>(access_role_names, role);
  if (!found) return fields.error("a token's role is admin, finance, team, gateway or metrics");
  request.role = *found;
  TRY(const auto teams, fields.list("teams"));
  for (const auto& team : teams) {
    if (!team.quoted) return fields.error("a team is a string");
    TRY(auto name, billing::read_text("the body", team, "a team"));
    request.teams.push_back(std::move(name));
  }
  TRY(request.expires_at, fields.instant("expires_at"));
  TRY(fields.finish());
  return request;
}

Response no_token(const Call& call) {
  return problem(Problem::not_found, "there is no access token '" + call.parameters[0] + "'");
}

}  // namespace

Response list_tokens(Service& service, const Call& call) {
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  std::string items;
  std::string next;
  std::string last;
  size_t listed = 0;
  for (const auto& token : service.tokens().list(call.principal.name_space)) {
    if (token.principal.token_id <= page.value().after) continue;
    if (listed == page.value().limit) {
      next = make_cursor(call, last);
      break;
    }
    items += (listed++ == 0 ? "" : ",") + token_json(token);
    last = token.principal.token_id;
  }
  return ok("{\"items\":[" + items + "]" +
            (next.empty() ? "" : ",\"next_cursor\":\"" + next + "\"") + "}");
}

Response get_token(Service& service, const Call& call) {
  const auto token = service.tokens().find_id(call.principal.name_space, call.parameters[0]);
  return token ? ok(token_json(*token)) : no_token(call);
}

void post_token(Service& service, Call call, Reply reply) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  auto request = parse_request(std::get<0>(body));
  if (!request) return reply(problem_of(request.error()));
  auto& wanted = request.value();
  if (wanted.name_space.empty()) wanted.name_space = call.principal.name_space;
  // Only who is on the machine, before there is any token, founds namespaces.
  if (wanted.name_space != call.principal.name_space && !call.principal.token_id.empty()) {
    service.audit_denial(call.head, &call.principal, call.route->operation, Problem::forbidden);
    return reply(problem(Problem::forbidden, "an admin makes tokens of its own namespace"));
  }
  if (service.tokens().size() >= limits::access_tokens_max)
    return reply(
        problem(Problem::refused, "there are 100,000 access tokens, the most there may be"));
  auto made = make_access_token(wanted, service.tokens().key(), service.clock().now());
  if (!made) return reply(problem_of(made.error()));
  auto draft = draft_of(made.value().token, call.principal.author(), call.query("reason"));
  draft.after_version = 0;
  // The secret goes out once, with the answer that made it: a repeated request finds the document
  // of another token id and is told so.
  auto shared = std::make_shared<NewToken>(std::move(made.value()));
  auto fresh = std::make_shared<bool>(false);
  append_and_answer(
      service, std::move(call),
      [reply = std::move(reply), shared, fresh](Response response) {
        if (response.status != 201) return reply(std::move(response));
        if (!*fresh)
          return reply(problem(Problem::conflict,
                               "the first request with this Idempotency-Key made the token; its "
                               "secret was shown then"));
        auto json = token_json(shared->token);
        json.pop_back();
        Response created;
        created.status = 201;
        created.body = json + ",\"token\":\"" + shared->secret + "\"}";
        created.headers.emplace_back("Location", "/v1/tokens/" + shared->token.principal.token_id);
        reply(std::move(created));
      },
      std::move(draft),
      [&service, shared, fresh](const ledger::DocumentVersion&) -> Result<void> {
        service.tokens().replace(shared->token);
        *fresh = true;
        return success();
      });
}

void delete_token(Service& service, Call call, Reply reply) {
  auto token = service.tokens().find_id(call.principal.name_space, call.parameters[0]);
  if (!token) return reply(no_token(call));
  Response done;
  done.status = 204;
  done.content_type.clear();
  if (token->revoked) return reply(std::move(done));
  token->revoked = true;
  // From now on, not from when it is durable: a crash in between brings it back, and the client,
  // who got no answer, asks again.
  service.tokens().replace(*token);
  auto draft = draft_of(*token, call.principal.author(), "revoked");
  append_and_answer(
      service, std::move(call),
      [reply = std::move(reply), done](Response response) {
        reply(response.status == 201 ? done : std::move(response));
      },
      std::move(draft));
}

Response list_audit(Service& service, const Call& call) {
  if (service.audit() == nullptr) return problem(Problem::not_found, "there is no audit log");
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  const auto kind = call.query("kind");
  if (!kind.empty() && kind != "changes" && kind != "denials")
    return problem(Problem::invalid_request, "kind is changes or denials");
  const auto& name_space = call.principal.name_space;
  const auto lines = kind == "denials" ? service.audit()->denials(name_space, page.value().limit)
                                       : service.audit()->changes(name_space, page.value().limit);
  if (!lines) return problem_of(lines.error());
  std::string items;
  for (const auto& line : lines.value()) items += (items.empty() ? "" : ",") + line;
  return ok("{\"items\":[" + items + "]}");
}

}  // namespace gauger::exporters
