#include "exporters/api/documents.h"

#include "exporters/api/idempotency.h"
#include "ledger/hash.h"

namespace gauger::exporters {
namespace {

constexpr std::string_view idempotency_kind = "idempotency_key";

ledger::DocumentKey key_document(const IdempotencyKey& key) {
  return {std::string(system_name_space), std::string(idempotency_kind), key.id};
}

// The key of an append, as a document beside it.
ledger::DocumentDraft draft_of(const IdempotencyKey& key, const ledger::DocumentDraft& draft,
                               uint32_t version) {
  billing::JsonValue json;
  json["request"] = key.request;
  json["namespace"] = draft.key.name_space;
  json["kind"] = draft.key.kind;
  json["id"] = draft.key.id;
  json["version"] = int64_t{version};
  ledger::DocumentDraft beside;
  beside.key = key_document(key);
  beside.author = draft.author;
  beside.after_version = 0;
  beside.content = json.canonical();
  return beside;
}

Response created(const ledger::DocumentVersion& version) {
  auto response = ok(version_json(version).canonical());
  response.status = 201;
  response.headers.emplace_back("ETag", etag_of(version));
  return response;
}

// The answer that the first request with this key got; none where there was none.
Result<std::optional<Response>> answered_before(const ledger::Documents& documents,
                                                const IdempotencyKey& key) {
  TRY(const auto known, documents.latest(key_document(key)));
  if (!known) return std::optional<Response>();
  TRY(const auto stored, documents.read(*known));
  TRY(const auto node, billing::parse_json(stored.content, "an idempotency key"));
  TRY(auto fields, billing::Fields::of("an idempotency key", node, "an idempotency key"));
  TRY(const auto request, fields.text("request"));
  if (request != key.request)
    return std::optional(problem(Problem::idempotency_conflict,
                                 "this Idempotency-Key was used for another request"));
  ledger::DocumentKey document;
  TRY(document.name_space, fields.text("namespace"));
  TRY(document.kind, fields.text("kind"));
  TRY(document.id, fields.text("id"));
  TRY(const auto number, fields.text("version"));
  TRY(const auto version, documents.version(document, static_cast<uint32_t>(std::strtoul(
                                                          number.c_str(), nullptr, 10))));
  if (!version) return corruption("an idempotency key names a document that is not there");
  return std::optional(created(*version));
}

}  // namespace

billing::JsonValue version_json(const ledger::DocumentVersion& version) {
  billing::JsonValue json;
  json["kind"] = version.key.kind;
  json["id"] = version.key.id;
  json["version"] = int64_t{version.version};
  if (version.applies_from) json["applies_from"] = format_instant(*version.applies_from);
  json["author"] = version.author;
  json["reason"] = version.reason;
  json["media_type"] = version.media_type;
  json["content_bytes"] = as_json(version.content_bytes);
  json["content_hash"] = ledger::to_hex(version.content_hash);
  json["hash"] = ledger::to_hex(version.hash);
  json["known_from"] = as_json(version.known_from);
  json["recorded_at"] = format_instant(version.recorded_at);
  return json;
}

std::string etag_of(const ledger::DocumentVersion& version) {
  return '"' + ledger::to_hex(version.content_hash).substr(0, 32) + '-' +
         std::to_string(version.version) + '"';
}

Response document_response(const Call& call, const ledger::Document& document) {
  const auto etag = etag_of(document.version);
  Response response;
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  const auto wanted = call.head.header("if-none-match");
  if (!wanted.empty() && etag_matches(wanted, etag)) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  response.content_type = document.version.media_type;
  response.body = document.content;
  return response;
}

Response list_documents(Service& service, const Call& call, std::string_view kind) {
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  const auto versions = service.ledger().documents().list(call.principal.name_space, kind);
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

Result<std::optional<Response>> answered_already(Service& service, const Call& call) {
  TRY(const auto key, idempotency_key_of(call));
  if (!key) return std::optional<Response>();
  return answered_before(service.ledger().documents(), *key);
}

void append_and_answer(Service& service, Call call, Reply reply,
                       std::vector<ledger::DocumentDraft> wanted, Appended appended) {
  auto key = idempotency_key_of(call);
  if (!key) return reply(problem_of(key.error()));
  auto shared = std::make_shared<Call>(std::move(call));
  answer_from_task(
      service, std::move(reply),
      [&service, shared, key = std::move(key.value()), wanted = std::move(wanted),
       appended = std::move(appended)](ledger::Ledger& ledger) -> Response {
        const auto documents = ledger.documents();
        auto drafts = wanted;
        const auto& draft = wanted.front();
        if (key) {
          const auto before = answered_before(documents, *key);
          if (!before) return problem_of(before.error());
          if (before.value()) return *before.value();
          const auto latest = documents.latest(draft.key);
          if (!latest) return problem_of(latest.error());
          drafts.push_back(draft_of(*key, draft, latest.value() ? latest.value()->version + 1 : 1));
        }
        const auto versions = ledger.append_documents(std::move(drafts));
        if (!versions) return problem_of(versions.error());
        const auto& version = versions.value().front();
        if (appended) {
          if (const auto done = appended(version); !done) return problem_of(done.error());
        }
        const auto audited =
            service.audit_change(*shared, version.key.kind + "/" + version.key.id + "/" +
                                              std::to_string(version.version));
        if (!audited) return problem_of(audited.error());
        return created(version);
      });
}

void append_worked_out(Service& service, Call call, Reply reply, WorkOut work_out) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  auto before = answered_already(service, call);
  if (!before) return reply(problem_of(before.error()));
  if (before.value()) return reply(std::move(*before.value()));
  auto drafts = work_out(service, call, std::get<0>(body));
  if (!drafts) return reply(problem_of(drafts.error()));
  append_and_answer(service, std::move(call), std::move(reply), std::move(drafts.value()));
}

Response known_already(const ledger::DocumentVersion& version) {
  auto response = ok(version_json(version).canonical());
  response.headers.emplace_back("ETag", etag_of(version));
  return response;
}

std::variant<std::optional<uint32_t>, Response> version_to_follow(
    const Call& call, const ledger::Documents& documents, const ledger::DocumentKey& key) {
  if (call.head.header("if-none-match") == "*") return std::optional<uint32_t>(0);
  const auto wanted = call.head.header("if-match");
  if (wanted.empty()) return std::optional<uint32_t>();
  const auto latest = documents.latest(key);
  if (!latest) return problem_of(latest.error());
  if (!latest.value() || !etag_matches(wanted, etag_of(*latest.value())))
    return problem(Problem::precondition_failed, "the document is not the one that If-Match names");
  return std::optional<uint32_t>(latest.value()->version);
}

}  // namespace gauger::exporters
