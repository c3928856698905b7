// Quotas and reservations. Checking answers from memory, on the I/O thread; a grant is told once
// the block that holds it is durable.
#include "billing/quotas/quota_document.h"
#include "exporters/api/answers.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"
#include "exporters/api/quota_keeper.h"
#include "exporters/quota/quota_answers.h"
#include "schemas/money.h"

namespace gauger::exporters {
namespace {

using billing::Fields;
using billing::JsonValue;
using billing::Node;
using ledger::Dimension;

constexpr std::chrono::minutes reservation_life_default{10};
// What is known of a request before it is done.
constexpr std::array asked_dimensions = {
    Dimension::team,        Dimension::project,          Dimension::workload,
    Dimension::provider,    Dimension::provider_account, Dimension::model,
    Dimension::region,      Dimension::accelerator,      Dimension::program,
    Dimension::service_tier};

Result<void> read_amounts(Fields& fields, ledger::QuotaAmounts& amounts) {
  amounts.requests = 1;
  if (const auto* requests = fields.optional("requests")) {
    TRY(amounts.requests, integer_of(*requests, 0, limits::count_max));
  }
  if (const auto* counts = fields.optional("counts")) {
    TRY(auto meters, Fields::of("the body", *counts, "counts"));
    for (size_t i = 0; i < meter_count; ++i)
      if (const auto* count = meters.optional(meter_names[i])) {
        TRY(amounts.counts[i], integer_of(*count, 0, limits::count_max));
      }
    TRY(meters.finish());
  }
  if (const auto* cost = fields.optional("cost")) {
    TRY(const auto pico, billing::read_decimal("the body", *cost, money_digits));
    if (pico < 0) return fields.error("a cost is not below zero");
    amounts.cost = pico;
  }
  return success();
}

Result<ledger::QuotaRequest> read_request(Fields& fields, const Principal& principal) {
  ledger::QuotaRequest request;
  request.name_space = principal.name_space;
  for (const auto dimension : asked_dimensions) {
    TRY(auto value, text_or(fields, ledger::dimension_names[static_cast<size_t>(dimension)], ""));
    if (dimension == Dimension::service_tier && !value.empty() &&
        !find_name<ServiceTier>(service_tier_names, value))
      return fields.error("'" + value + "' is not a service tier");
    if (!value.empty()) request.attributes.push_back({dimension, std::move(value)});
  }
  TRY(request.model_tier, text_or(fields, "model_tier", ""));
  TRY(read_amounts(fields, request.amounts));
  return request;
}

std::string_view team_of(const ledger::QuotaRequest& request) {
  for (const auto& filter : request.attributes)
    if (filter.dimension == Dimension::team) return filter.value;
  return {};
}

std::optional<Response> refuse_team(Service& service, const Call& call,
                                    const ledger::QuotaRequest& request) {
  if (call.principal.sees_team(team_of(request))) return std::nullopt;
  service.audit_denial(call.head, &call.principal, call.route->operation, Problem::forbidden);
  return problem(Problem::forbidden,
                 "the access token is for its own teams, and the request is "
                 "not of one of them");
}

// A token that is bound to teams names its reservations "<team>:<name>", so that it can neither end
// nor find those of others.
bool may_name(const Principal& principal, std::string_view id) {
  if (principal.sees_all_teams()) return true;
  const auto colon = id.rfind(':');
  return colon != std::string_view::npos && colon + 1 < id.size() &&
         principal.sees_team(id.substr(0, colon));
}

Response refuse_name(Service& service, const Call& call) {
  service.audit_denial(call.head, &call.principal, call.route->operation, Problem::forbidden);
  return problem(Problem::forbidden,
                 "an access token that is bound to teams names its reservations '<team>:<name>'");
}

// "quota search-month: 900 used and 200 held of 1000 tokens; it resets at …".
std::string refusal_sentence(const ledger::QuotaDecision& decision) {
  for (const auto& answer : decision.answers) {
    if (!answer.exceeded || answer.mode != ledger::QuotaMode::hard) continue;
    const auto amount = [&](Int128 value) { return billing::format_amount(answer.measure, value); };
    return "quota " + answer.quota + ": " + amount(answer.used) + " used and " +
           amount(answer.held) + " held of " + amount(answer.limit) + " " +
           to_string(answer.measure) + ", " + amount(answer.requested) +
           " asked for; it resets at " + format_instant(answer.resets_at);
  }
  return "a quota would be passed";
}

struct ReservationCall {
  std::string id;
  std::chrono::seconds life = reservation_life_default;
  ledger::QuotaRequest request;
};

Result<ReservationCall> parse_reservation(const Node& node, const Principal& principal) {
  TRY(auto fields, Fields::of("the body", node, "a reservation"));
  ReservationCall call;
  TRY(call.id, text_of(fields, "id"));
  if (const auto* life = fields.optional("expires_in_s")) {
    TRY(const auto seconds,
        integer_of(*life, 1, std::chrono::seconds(limits::reservation_life_max).count()));
    call.life = std::chrono::seconds{seconds};
  }
  TRY(call.request, read_request(fields, principal));
  TRY(fields.finish());
  return call;
}

// A job that adds `change`'s records to the open batch, and answers once they are durable.
void answer_after_commit(Service& service, Reply reply,
                         std::function<Result<Response>(ledger::Ledger&)> change) {
  auto reply_to = std::make_shared<Reply>(std::move(reply));
  auto answer = std::make_shared<Response>();
  CommitJob job;
  job.stage = [change = std::move(change), answer](ledger::Ledger& ledger) {
    auto changed = change(ledger);
    *answer = changed ? std::move(changed.value()) : problem_of(changed.error());
  };
  job.done = [reply_to, answer](const Result<uint64_t>& sequence) {
    (*reply_to)(sequence ? std::move(*answer) : problem_of(sequence.error()));
  };
  if (const auto submitted = service.committer().submit(std::move(job)); !submitted)
    (*reply_to)(problem_of(submitted.error()));
}

Response no_quota(const Call& call) {
  return problem(Problem::not_found, "there is no quota '" + call.parameters[0] + "'");
}

}  // namespace

bool sees_quota(const Principal& principal, const ledger::Quota& quota) {
  if (principal.sees_all_teams()) return true;
  for (const auto& filter : quota.scope)
    if (filter.dimension == Dimension::team) return principal.sees_team(filter.value);
  return false;
}

Response check_quota(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto form = std::get<Form>(chosen);
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return *refused;
  auto parsed = [&]() -> Result<ledger::QuotaRequest> {
    TRY(auto fields, billing::Fields::of("the body", std::get<0>(body), "a check"));
    TRY(auto request, read_request(fields, call.principal));
    TRY(fields.finish());
    return request;
  }();
  if (!parsed) return problem_of(parsed.error());
  auto request = std::move(parsed.value());
  if (auto refused = refuse_team(service, call, request)) return std::move(*refused);
  const auto now = service.clock().now();
  service.quotas().complete(request, now);
  const auto decision = service.ledger().quotas().check(request, now);
  if (form == Form::csv) return ok(quotas_csv(decision.answers), form);
  if (form == Form::text) return ok(quotas_table(decision.answers), form);
  return ok(decision_text(decision));
}

void post_reservation(Service& service, Call call, Reply reply) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  auto parsed = parse_reservation(std::get<0>(body), call.principal);
  if (!parsed) return reply(problem_of(parsed.error()));
  auto wanted = std::move(parsed.value());
  if (auto refused = refuse_team(service, call, wanted.request)) return reply(std::move(*refused));
  if (!may_name(call.principal, wanted.id)) return reply(refuse_name(service, call));
  service.quotas().complete(wanted.request, service.clock().now());
  answer_after_commit(
      service, std::move(reply),
      [wanted = std::move(wanted)](ledger::Ledger& ledger) -> Result<Response> {
        const auto expires_at = ledger.batch().block_time() + wanted.life;
        TRY(const auto decision, ledger.reserve(wanted.request, wanted.id, expires_at));
        auto json = decision_json(decision);
        if (!decision.allowed)
          return problem(Problem::quota_exceeded, refusal_sentence(decision), std::move(json));
        json["id"] = wanted.id;
        json["expires_at"] = format_instant(expires_at);
        auto response = ok(json.canonical());
        response.status = 201;
        return response;
      });
}

void settle_reservation(Service& service, Call call, Reply reply) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  if (!may_name(call.principal, call.parameters[0])) return reply(refuse_name(service, call));
  ledger::QuotaAmounts amounts;
  const auto read = [&]() -> Result<void> {
    TRY(auto fields, billing::Fields::of("the body", std::get<0>(body), "what was used"));
    TRY(read_amounts(fields, amounts));
    return fields.finish();
  }();
  if (!read) return reply(problem_of(read.error()));
  answer_after_commit(service, std::move(reply),
                      [name_space = call.principal.name_space, id = call.parameters[0],
                       amounts](ledger::Ledger& ledger) -> Result<Response> {
                        TRY(ledger.settle(name_space, id, amounts));
                        JsonValue json;
                        json["id"] = id;
                        json["settled"] = true;
                        return ok(json.canonical());
                      });
}

void delete_reservation(Service& service, Call call, Reply reply) {
  if (!may_name(call.principal, call.parameters[0])) return reply(refuse_name(service, call));
  answer_after_commit(service, std::move(reply),
                      [name_space = call.principal.name_space,
                       id = call.parameters[0]](ledger::Ledger& ledger) -> Result<Response> {
                        TRY(ledger.cancel(name_space, id));
                        Response done;
                        done.status = 204;
                        done.content_type.clear();
                        return done;
                      });
}

Response list_quotas(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto form = std::get<Form>(chosen);
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  const auto& name_space = call.principal.name_space;
  const auto quotas = service.quotas().of(name_space);
  auto answers = service.ledger().quotas().list(name_space, service.clock().now());
  std::erase_if(answers, [&](const ledger::QuotaAnswer& answer) {
    const auto quota = quotas.find(answer.quota);
    return quota == quotas.end() || !sees_quota(call.principal, quota->second);
  });
  std::sort(answers.begin(), answers.end(),
            [](const auto& a, const auto& b) { return a.quota < b.quota; });
  if (form == Form::csv) return ok(quotas_csv(answers), form);
  if (form == Form::text) return ok(quotas_table(answers), form);
  JsonValue json;
  json["as_of_sequence"] = as_json(service.ledger().durable_head().sequence);
  JsonValue::Array items;
  std::string last;
  for (const auto& answer : answers) {
    if (answer.quota <= page.value().after) continue;
    if (items.size() == page.value().limit) {
      json["next_cursor"] = make_cursor(call, last);
      break;
    }
    auto item = answer_json(answer);
    item["definition"] = quota_json(quotas.at(answer.quota));
    items.push_back(std::move(item));
    last = answer.quota;
  }
  json["items"] = std::move(items);
  return ok(json.canonical());
}

Response get_quota(Service& service, const Call& call) {
  const auto quotas = service.quotas().of(call.principal.name_space);
  const auto quota = quotas.find(call.parameters[0]);
  if (quota == quotas.end() || !sees_quota(call.principal, quota->second)) return no_quota(call);
  const auto documents = service.ledger().documents();
  const auto latest =
      documents.latest({call.principal.name_space, std::string(quota_kind), call.parameters[0]});
  if (!latest) return problem_of(latest.error());
  if (!latest.value()) return no_quota(call);
  const auto document = documents.read(*latest.value());
  return document ? document_response(call, document.value()) : problem_of(document.error());
}

void post_quota(Service& service, Call call, Reply reply) {
  const auto type = media_type(call.head.header("content-type"));
  if (type != "application/json" && type != "application/yaml")
    return reply(problem(Problem::unsupported_media_type,
                         "a quota comes as application/yaml or application/json"));
  const auto parsed = billing::parse_quota(call.body, "the quota");
  if (!parsed) return reply(problem_of(parsed.error()));
  if (parsed.value().id != call.parameters[0])
    return reply(problem(Problem::invalid_request, "the quota's id is not that of the path"));
  const auto checked = ledger::check(parsed.value(), service.ledger().config().grain);
  if (!checked) return reply(problem_of(checked.error()));
  ledger::DocumentDraft draft;
  draft.key = {call.principal.name_space, std::string(quota_kind), call.parameters[0]};
  auto follows = version_to_follow(call, service.ledger().documents(), draft.key);
  if (auto* refused = std::get_if<Response>(&follows)) return reply(std::move(*refused));
  draft.after_version = std::get<0>(follows);
  draft.author = call.principal.author();
  draft.reason = std::string(call.query("reason"));
  draft.media_type = type;
  draft.content = call.body;
  if (const auto good = ledger::check(draft); !good) return reply(problem_of(good.error()));
  append_and_answer(
      service, std::move(call), std::move(reply), std::move(draft),
      [&service](const ledger::DocumentVersion&) { return service.quotas().refresh(); });
}

void delete_quota(Service& service, Call call, Reply reply) {
  const auto quotas = service.quotas().of(call.principal.name_space);
  if (!quotas.contains(call.parameters[0])) return reply(no_quota(call));
  ledger::DocumentDraft draft;
  draft.key = {call.principal.name_space, std::string(quota_kind), call.parameters[0]};
  draft.author = call.principal.author();
  draft.reason = std::string(call.query("reason"));
  draft.media_type = "application/yaml";
  append_and_answer(
      service, std::move(call),
      [reply = std::move(reply)](Response response) {
        if (response.status != 201) return reply(std::move(response));
        Response done;
        done.status = 204;
        done.content_type.clear();
        reply(std::move(done));
      },
      std::move(draft),
      [&service](const ledger::DocumentVersion&) { return service.quotas().refresh(); });
}

}  // namespace gauger::exporters
