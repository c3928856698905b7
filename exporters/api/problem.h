// Errors as answers: problem+json (RFC 9457) with types that never change their meaning.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "billing/json_value.h"
#include "exporters/http/message.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {

enum class Problem : uint8_t {
  invalid_request,
  unauthenticated,
  forbidden,
  not_found,
  method_not_allowed,
  not_acceptable,
  conflict,
  idempotency_conflict,
  precondition_failed,
  payload_too_large,
  unsupported_media_type,
  expectation_failed,
  refused,
  quota_exceeded,
  header_too_large,
  internal,
  not_implemented,
  overloaded,
  not_ready,
  http_version,
};

struct ProblemText {
  std::string_view type;  // the last part of its URN
  unsigned status;
  std::string_view title;
};

inline constexpr std::array<ProblemText, 20> problem_texts = {{
    {"invalid_request", 400, "The request cannot be meant"},
    {"unauthenticated", 401, "An access token is needed"},
    {"forbidden", 403, "The access token does not allow this"},
    {"not_found", 404, "There is no such thing"},
    {"method_not_allowed", 405, "The path does not know this method"},
    {"not_acceptable", 406, "The answer has no form that the client accepts"},
    {"conflict", 409, "The state of the ledger has moved on"},
    {"idempotency_conflict", 409, "The idempotency key was used for another request"},
    {"precondition_failed", 412, "The document has changed since"},
    {"payload_too_large", 413, "The body is too large"},
    {"unsupported_media_type", 415, "The body's form is not known"},
    {"expectation_failed", 417, "The expectation is not known"},
    {"refused", 422, "The ledger refuses it"},
    {"quota_exceeded", 429, "A quota would be passed"},
    {"header_too_large", 431, "The header section is too large"},
    {"internal", 500, "The server failed"},
    {"not_implemented", 501, "The server does not do this"},
    {"overloaded", 503, "The server has too much to do"},
    {"not_ready", 503, "The server is not ready"},
    {"http_version", 505, "The version of HTTP is not known"},
}};
constexpr const ProblemText& text_of(Problem problem) {
  return problem_texts[static_cast<size_t>(problem)];
}

// `detail` is a sentence about this one; `members` are added to the object.
Response problem(Problem type, std::string_view detail,
                 billing::JsonValue members = billing::JsonValue());
// Failures of the disk are told without their details, which are for the log.
Response problem_of(const Error& error);
// What the transport itself refuses.
Response problem_of_status(unsigned status, std::string_view sentence);

}  // namespace gauger::exporters
