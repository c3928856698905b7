// A request and its answer as values: what the transport (server.h) and the routes (exporters/api)
// have in common. No third-party type; bodies are owned.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "schemas/result.h"

namespace gauger::exporters {

enum class Method : uint8_t { get, head, post, put, delete_, other };
inline constexpr std::array<std::string_view, 6> method_names = {"GET", "HEAD",   "POST",
                                                                 "PUT", "DELETE", "OTHER"};
constexpr std::string_view to_string(Method method) {
  return method_names[static_cast<size_t>(method)];
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// What stands before the body.
struct RequestHead {
  Method method = Method::other;
  std::string target;  // as it came, origin form
  std::string path;    // decoded, without the query
  Fields query;        // decoded
  Fields headers;      // names in lower case
  std::string peer;    // address without port
  bool peer_is_loopback = false;

  // Empty where it is not there. Headers that came twice are refused before.
  std::string_view header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  Fields headers;
  bool close = false;  // the connection
};

// May be called from any thread, once.
using Reply = std::function<void(Response)>;

// A request that may send its body: at most so many bytes, and what to do with it then.
struct Admitted {
  size_t body_bytes_max = 0;
  std::function<void(std::string body, Reply reply)> answer;
};

// Judges a request before its body is read. On an I/O thread: must not wait.
using Admission = std::variant<Response, Admitted>;
using Admit = std::function<Admission(RequestHead head)>;
// An answer of the transport itself, to what never became a request.
using Refuse = std::function<Response(unsigned status, std::string_view sentence)>;
// Told after each answer, for the log and the metrics. On an I/O thread.
using Answered = std::function<void(unsigned status)>;

// Splits an origin-form target into path and query and decodes both. invalid_argument for
// anything else: bad escapes, control characters, `.` and `..` segments, an empty segment.
Result<void> parse_target(std::string_view target, RequestHead& head);
// A query or path segment with %-escapes resolved. `plus_is_space` for queries.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);

}  // namespace gauger::exporters
