// Documents over HTTP: how a version is told, and appending one. Private to exporters/api.
#pragma once

#include "exporters/api/answers.h"
#include "ledger/documents.h"

namespace gauger::exporters {

// Everything but the content.
billing::JsonValue version_json(const ledger::DocumentVersion& version);
// A strong ETag: the content's hash.
std::string etag_of(const ledger::DocumentVersion& version);
// The content as it was posted, with its ETag; 304 where the client has it.
Response document_response(const Call& call, const ledger::Document& document);

// A page of the last versions of a kind, by id, without their content.
Response list_documents(Service& service, const Call& call, std::string_view kind);

// Appends the drafts, all or none, on the committing thread, records the first in the audit log,
// and answers 201 with its version. With an Idempotency-Key the key is appended in the same block:
// a repeated request is answered with the version that the first one made. `appended` runs before
// the answer.
using Appended = std::function<Result<void>(const ledger::DocumentVersion&)>;
void append_and_answer(Service& service, Call call, Reply reply,
                       std::vector<ledger::DocumentDraft> drafts, Appended appended = {});
inline void append_and_answer(Service& service, Call call, Reply reply, ledger::DocumentDraft draft,
                              Appended appended = {}) {
  append_and_answer(service, std::move(call), std::move(reply),
                    std::vector<ledger::DocumentDraft>{std::move(draft)}, std::move(appended));
}
// The answer of the first request with the call's Idempotency-Key, where there was one: for writes
// that are worked out before they are appended.
Result<std::optional<Response>> answered_already(Service& service, const Call& call);

// A JSON body becomes drafts and they are appended: what most writes of accounting are. A repeated
// request is answered before anything is worked out again.
using WorkOut = Result<std::vector<ledger::DocumentDraft>> (*)(Service& service, const Call& call,
                                                               const billing::Node& body);
void append_worked_out(Service& service, Call call, Reply reply, WorkOut work_out);

// 200 with a version that says the same already.
Response known_already(const ledger::DocumentVersion& version);

// After the version that If-Match names; 0 with `If-None-Match: *`. None where neither is there.
std::variant<std::optional<uint32_t>, Response> version_to_follow(
    const Call& call, const ledger::Documents& documents, const ledger::DocumentKey& key);

}  // namespace gauger::exporters
