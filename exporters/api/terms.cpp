// Terms: dated documents that rating reads. They are checked before they are appended, so that a
// document that cannot be meant never becomes part of the ledger.
#include "billing/chargeback/chargeback.h"
#include "billing/chargeback/exchange_rates.h"
#include "billing/chargeback/organisation.h"
#include "billing/contracts/contract.h"
#include "billing/model_catalog.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"

namespace gauger::exporters {
namespace {

using Check = Result<void> (*)(std::string_view text, std::string_view file);

template <auto parse>
Result<void> parses(std::string_view text, std::string_view file) {
  TRY(parse(text, file));
  return success();
}

struct TermsKind {
  std::string_view name;
  Check check;
};
constexpr std::array<TermsKind, 7> kinds = {{
    {"price_book", parses<billing::parse_price_book>},
    {"model_catalog", parses<billing::parse_model_catalog>},
    {"contract", parses<billing::parse_contract>},
    {"capacity", parses<billing::parse_capacity_records>},
    {"chargeback_policy", parses<billing::parse_chargeback_policy>},
    {"exchange_rates", parses<billing::parse_exchange_rates>},
    {"organisation", parses<billing::parse_organisation>},
}};

const TermsKind* find_kind(std::string_view name) {
  for (const auto& kind : kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

Response unknown_kind() {
  std::string names;
  for (const auto& kind : kinds) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return problem(Problem::not_found, "terms are of one of the kinds " + names);
}

ledger::DocumentKey key_of(const Call& call) {
  return {call.principal.name_space, call.parameters[0], call.parameters[1]};
}

Response no_document(const Call& call) {
  return problem(Problem::not_found,
                 "there is no " + call.parameters[0] + " '" + call.parameters[1] + "'");
}

}  // namespace

Response list_terms(Service& service, const Call& call) {
  if (find_kind(call.parameters[0]) == nullptr) return unknown_kind();
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  const auto versions =
      service.ledger().documents().list(call.principal.name_space, call.parameters[0]);
  if (!versions) return problem_of(versions.error());
  billing::JsonValue json;
  billing::JsonValue::Array items;
  std::string last;
  for (const auto& version : versions.value()) {
    if (version.key.id <= page.value().after) continue;
    if (items.size() == page.value().limit) {
      json["next_cursor"] = make_cursor(call, last);
      break;
    }
    items.push_back(version_json(version));
    last = version.key.id;
  }
  json["items"] = std::move(items);
  return ok(json.canonical());
}

Response get_terms(Service& service, const Call& call) {
  if (find_kind(call.parameters[0]) == nullptr) return unknown_kind();
  const auto documents = service.ledger().documents();
  const auto latest = documents.latest(key_of(call));
  if (!latest) return problem_of(latest.error());
  if (!latest.value()) return no_document(call);
  const auto document = documents.read(*latest.value());
  if (!document) return problem_of(document.error());
  return document_response(call, document.value());
}

Response list_terms_versions(Service& service, const Call& call) {
  if (find_kind(call.parameters[0]) == nullptr) return unknown_kind();
  const auto documents = service.ledger().documents();
  billing::JsonValue::Array items;
  for (uint32_t number = 1;; ++number) {
    const auto version = documents.version(key_of(call), number);
    if (!version) return problem_of(version.error());
    if (!version.value()) break;
    items.push_back(version_json(*version.value()));
  }
  if (items.empty()) return no_document(call);
  billing::JsonValue json;
  json["items"] = std::move(items);
  return ok(json.canonical());
}

void post_terms(Service& service, Call call, Reply reply) {
  const auto* kind = find_kind(call.parameters[0]);
  if (kind == nullptr) return reply(unknown_kind());
  const auto type = media_type(call.head.header("content-type"));
  if (type != "application/json" && type != "application/yaml")
    return reply(problem(Problem::unsupported_media_type,
                         "terms come as application/yaml or application/json"));
  const auto file = call.parameters[0] + " " + call.parameters[1];
  if (const auto checked = kind->check(call.body, file); !checked)
    return reply(problem_of(checked.error()));
  ledger::DocumentDraft draft;
  draft.key = key_of(call);
  auto follows = version_to_follow(call, service.ledger().documents(), draft.key);
  if (auto* refused = std::get_if<Response>(&follows)) return reply(std::move(*refused));
  draft.after_version = std::get<0>(follows);
  draft.author = call.principal.author();
  draft.reason = std::string(call.query("reason"));
  draft.media_type = type;
  if (const auto from = call.query("applies_from"); !from.empty()) {
    const auto instant = parse_instant(from);
    if (!instant) return reply(problem_of(instant.error()));
    draft.applies_from = instant.value();
  }
  draft.content = call.body;
  if (const auto checked = ledger::check(draft); !checked)
    return reply(problem_of(checked.error()));
  // Quotas count with the terms as they are now.
  append_and_answer(
      service, std::move(call), std::move(reply), std::move(draft),
      [&service](const ledger::DocumentVersion&) { return service.quotas().refresh(); });
}

}  // namespace gauger::exporters
