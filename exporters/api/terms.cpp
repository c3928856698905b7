// Terms: dated documents that rating reads. They are checked before they are appended, so that a
// document that cannot be meant never becomes part of the ledger.
#include <algorithm>

#include "exporters/accounting/terms_posting.h"
#include "exporters/api/accounting.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"

namespace gauger::exporters {
namespace {

bool is_kind(std::string_view name) {
  const auto& names = billing::terms_kind_names;
  return std::find(names.begin(), names.end(), name) != names.end() ||
         name == billing::proposed_price_book_kind;
}

Response unknown_kind() {
  std::string names;
  for (const auto kind : billing::terms_kind_names)
    names += (names.empty() ? "" : ", ") + std::string(kind);
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
  if (!is_kind(call.parameters[0])) return unknown_kind();
  return list_documents(service, call, call.parameters[0]);
}

Response get_terms(Service& service, const Call& call) {
  if (!is_kind(call.parameters[0])) return unknown_kind();
  const auto documents = service.ledger().documents();
  const auto latest = documents.latest(key_of(call));
  if (!latest) return problem_of(latest.error());
  if (!latest.value()) return no_document(call);
  const auto document = documents.read(*latest.value());
  if (!document) return problem_of(document.error());
  return document_response(call, document.value());
}

Response list_terms_versions(Service& service, const Call& call) {
  if (!is_kind(call.parameters[0])) return unknown_kind();
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

namespace {

// The document of the body, checked together with what the ledger has.
Result<std::optional<ledger::DocumentDraft>> terms_draft(Service& service, const Call& call) {
  const NamedText text{call.parameters[0] + " " + call.parameters[1], call.body};
  TRY(const auto document, billing::parse_terms(text.text, text.name));
  if (to_string(document.kind()) != call.parameters[0] || document.id() != call.parameters[1])
    return invalid_argument("the document is the " + std::string(to_string(document.kind())) +
                            " '" + document.id() + "', not the " + call.parameters[0] + " '" +
                            call.parameters[1] + "'");
  TRY(const auto view, view_of(service, call));
  TRY(check_together({text}, &view));
  return draft_of_terms(document, text.text, view.name_space, view.documents());
}

// What is there says the same.
Response posted_already(Service& service, const Call& call) {
  const auto latest = service.ledger().documents().latest(key_of(call));
  if (!latest) return problem_of(latest.error());
  if (!latest.value()) return no_document(call);
  auto response = ok(version_json(*latest.value()).canonical());
  response.headers.emplace_back("ETag", etag_of(*latest.value()));
  return response;
}

}  // namespace

void post_terms(Service& service, Call call, Reply reply) {
  if (!is_kind(call.parameters[0])) return reply(unknown_kind());
  const auto type = media_type(call.head.header("content-type"));
  if (type != "application/json" && type != "application/yaml")
    return reply(problem(Problem::unsupported_media_type,
                         "terms come as application/yaml or application/json"));
  auto before = answered_already(service, call);
  if (!before) return reply(problem_of(before.error()));
  if (before.value()) return reply(std::move(*before.value()));
  auto follows = version_to_follow(call, service.ledger().documents(), key_of(call));
  if (auto* refused = std::get_if<Response>(&follows)) return reply(std::move(*refused));
  auto checked = terms_draft(service, call);
  if (!checked) return reply(problem_of(checked.error()));
  if (!checked.value()) return reply(posted_already(service, call));
  auto& draft = *checked.value();
  if (const auto after = std::get<0>(follows)) draft.after_version = after;
  draft.author = call.principal.author();
  draft.reason = std::string(call.query("reason"));
  draft.media_type = type;
  // Quotas count with the terms as they are now.
  append_and_answer(
      service, std::move(call), std::move(reply), std::move(draft),
      [&service](const ledger::DocumentVersion&) { return service.quotas().refresh(); });
}

}  // namespace gauger::exporters
