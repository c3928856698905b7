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

// Appends the draft on the committing thread, records it in the audit log, and answers 201 with the
// version. With an Idempotency-Key the key is appended in the same block: a repeated request is
// answered with the version that the first one made. `appended` runs before the answer.
void append_and_answer(Service& service, Call call, Reply reply, ledger::DocumentDraft draft,
                       std::function<Result<void>(const ledger::DocumentVersion&)> appended = {});

// After the version that If-Match names; 0 with `If-None-Match: *`. None where neither is there.
std::variant<std::optional<uint32_t>, Response> version_to_follow(
    const Call& call, const ledger::Documents& documents, const ledger::DocumentKey& key);

}  // namespace gauger::exporters
