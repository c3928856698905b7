#include "exporters/api/problem.h"

namespace gauger::exporters {

Response problem(Problem type, std::string_view detail, billing::JsonValue members) {
  const auto& text = text_of(type);
  members["type"] = "urn:gauger:problem:" + std::string(text.type);
  members["title"] = text.title;
  members["status"] = int64_t{text.status};
  members["detail"] = detail;
  Response response;
  response.status = text.status;
  response.content_type = "application/problem+json";
  response.body = members.canonical();
  if (type == Problem::unauthenticated)
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"gauger\"");
  if (type == Problem::overloaded || type == Problem::not_ready)
    response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response problem_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid_argument: return problem(Problem::invalid_request, error.sentence);
    case ErrorCode::not_found: return problem(Problem::not_found, error.sentence);
    case ErrorCode::conflict: return problem(Problem::conflict, error.sentence);
    case ErrorCode::refused: return problem(Problem::refused, error.sentence);
    case ErrorCode::overflow: return problem(Problem::refused, error.sentence);
    case ErrorCode::unavailable: return problem(Problem::overloaded, error.sentence);
    case ErrorCode::corruption:
    case ErrorCode::newer_format:
    case ErrorCode::io: break;
  }
  return problem(Problem::internal, "the ledger could not answer; the server's log says why");
}

Response problem_of_status(unsigned status, std::string_view sentence) {
  for (size_t i = 0; i < problem_texts.size(); ++i)
    if (problem_texts[i].status == status) return problem(static_cast<Problem>(i), sentence);
  return problem(Problem::internal, sentence);
}

}  // namespace gauger::exporters
