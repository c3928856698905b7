// --server URL: the commands that read ask a running service instead of a data directory. The
// service renders the answer, so that both print the same.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "exporters/http/client.h"
#include "tools/gauger/command.h"

namespace gauger::tools {

class ServerOptions {
 public:
  // --data DIR or --server URL, one of them; --token-file and --ca-cert. The token comes from the
  // file, else from the environment's GAUGER_TOKEN.
  void add_to(CLI::App& command, std::string& data);
  // The same, for a command that needs neither.
  void add_optional_to(CLI::App& command, std::string& data);

  bool given() const { return !address_.url.empty(); }
  // Prints what the service answers in the form; its refusal is our error. JSON comes in pages:
  // `list` names the member whose items are put together, empty where there are no pages.
  Result<void> print(exporters::ClientRequest request, Output output,
                     std::string_view list = {}) const;
  // The answer as it came.
  Result<std::string> ask(exporters::ClientRequest request) const;

 private:
  Result<exporters::ServerAddress> address() const;
  exporters::ServerAddress address_;
  std::string token_file_;
};

// Collects a query, leaving out what is empty.
class QueryText {
 public:
  explicit QueryText(std::string path) : text_(std::move(path)) {}
  QueryText& add(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  char separator_ = '?';
};

}  // namespace gauger::tools
