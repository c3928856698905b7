// Asking a running service: one request, one answer, over TCP or TLS. For the command line.
#pragma once

#include <string>

#include "exporters/http/message.h"
#include "schemas/result.h"

namespace gauger::exporters {

struct ServerAddress {
  std::string url;             // http://127.0.0.1:8383 or https://gauger.example
  std::string token;           // empty: none
  std::string ca_certificate;  // PEM file; empty: the system's
};

struct ClientRequest {
  Method method = Method::get;
  std::string target;  // path and query
  std::string accept = "application/json";
  std::string content_type;
  std::string body;
};

// unavailable: nobody answers, or not in time. invalid_argument: the URL. Whatever the server
// answers is a Response; a certificate that does not fit the name is refused.
Result<Response> ask_server(const ServerAddress& server, const ClientRequest& request);

}  // namespace gauger::exporters
