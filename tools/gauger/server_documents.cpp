#include "tools/gauger/server_documents.h"

#include <fmt/format.h>

#include "billing/document.h"

namespace gauger::tools {

Result<void> post_document(const ServerOptions& server, std::string path,
                           const billing::JsonValue& body, Output output) {
  exporters::ClientRequest request;
  request.method = exporters::Method::post;
  request.target = std::move(path);
  request.content_type = "application/json";
  request.body = body.canonical();
  TRY(const auto answer, server.ask(std::move(request)));
  if (output == Output::json) {
    fmt::print("{}\n", answer);
    return success();
  }
  TRY(const auto node, billing::parse_json(answer, "the answer"));
  TRY(auto version, billing::Fields::of("the answer", node, "a version"));
  TRY(const auto kind, version.text("kind"));
  TRY(const auto id, version.text("id"));
  TRY(const auto number, version.text("version"));
  TRY(const auto block, version.text("known_from"));
  fmt::print("{} {} version {}, in journal block {}\n", kind, id, number, block);
  return success();
}

}  // namespace gauger::tools
