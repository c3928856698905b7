// What a request and an answer look like on the wire: shapes that are refused, and heads in both
// directions. Private to exporters/http.
#pragma once

#include <boost/beast/http.hpp>
#include <optional>

#include "exporters/http/message.h"

namespace gauger::exporters {

namespace beast = boost::beast;
namespace http = beast::http;
using Parser = http::request_parser<http::buffer_body>;

// A refusal by the transport: status and sentence.
struct Refusal {
  unsigned status = 0;
  std::string_view sentence;
};

// None: the connection is gone, and nobody would read it.
std::optional<Refusal> refusal_of(const beast::error_code& error);
// Requests whose length or meaning two parsers could see differently.
std::optional<Refusal> check_shape(const Parser& parser);
RequestHead head_of(const Parser& parser, const std::string& address, bool loopback);
// What an answer says before its body.
std::string head_text(const Response& response, bool ends);

}  // namespace gauger::exporters
