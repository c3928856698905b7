#include "tools/gauger/server_options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "billing/document.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

ErrorCode code_of(unsigned status) {
  if (status == 400 || status == 406 || status == 415) return ErrorCode::invalid_argument;
  if (status == 404) return ErrorCode::not_found;
  if (status == 409 || status == 412) return ErrorCode::conflict;
  if (status >= 500) return ErrorCode::unavailable;
  return ErrorCode::refused;
}

// The problem's own sentence.
Error error_of(const exporters::Response& response) {
  if (const auto problem = billing::parse_json(response.body, "the answer"); problem)
    if (const auto* detail = problem.value().find("detail"))
      return {code_of(response.status), "the server says: " + detail->text};
  return {code_of(response.status), "the server answers " + std::to_string(response.status)};
}

// The items of all pages in one object. Members of an answer stand in the order of their names, the
// list last.
Result<std::string> all_pages(const exporters::ServerAddress& server,
                              const exporters::ClientRequest& request, std::string first,
                              std::string_view list) {
  const auto opening = "\"" + std::string(list) + "\":[";
  const auto items_of = [&](const std::string& body) {
    const auto begin = std::min(body.find(opening), body.size() - 1) + opening.size();
    return body.substr(begin, body.rfind(']') - begin);
  };
  std::string items = items_of(first);
  auto page = first;
  for (;;) {
    TRY(const auto node, billing::parse_json(page, "the answer"));
    const auto* cursor = node.find("next_cursor");
    if (cursor == nullptr) break;
    auto next = request;
    next.target += (next.target.find('?') == std::string::npos ? "?" : "&") +
                   std::string("limit=1000") + "&cursor=" + exporters::percent_encode(cursor->text);
    TRY(const auto response, exporters::ask_server(server, next));
    if (response.status >= 300) return error_of(response);
    page = response.body;
    items += "," + items_of(page);
  }
  TRY(const auto last, billing::parse_json(page, "the answer"));
  const auto* as_of = last.find("as_of_sequence");
  return "{" + (as_of == nullptr ? "" : "\"as_of_sequence\":" + as_of->text + ",") + opening +
         items + "]}";
}

}  // namespace

void ServerOptions::add_optional_to(CLI::App& command, std::string& data) {
  auto* directory = command.add_option("--data", data, "the ledger's data directory");
  auto* server = command.add_option("--server", address_.url,
                                    "ask a running service, such as http://127.0.0.1:8383");
  directory->excludes(server);
  command.add_option("--token-file", token_file_, "its access token; else GAUGER_TOKEN")
      ->needs(server);
  command.add_option("--ca-cert", address_.ca_certificate, "PEM: who signs its certificate")
      ->needs(server);
}

void ServerOptions::add_to(CLI::App& command, std::string& data) {
  add_optional_to(command, data);
  // One of them, checked after parsing so that --help needs neither.
  command.parse_complete_callback([this, &data] {
    if (data.empty() && address_.url.empty())
      throw CLI::RequiredError("--data DIR or --server URL");
  });
}

Result<exporters::ServerAddress> ServerOptions::address() const {
  auto address = address_;
  if (!token_file_.empty()) {
    TRY(auto text, read_text_file(token_file_));
    address.token = trimmed(std::move(text));
  } else if (const auto* token = std::getenv("GAUGER_TOKEN")) {
    address.token = token;
  }
  return address;
}

Result<void> ServerOptions::print(exporters::ClientRequest request, Output output,
                                  std::string_view list) const {
  TRY(const auto server, address());
  request.accept = output == Output::json  ? "application/json"
                   : output == Output::csv ? "text/csv"
                                           : "text/plain";
  TRY(auto response, exporters::ask_server(server, request));
  if (response.status >= 300) return error_of(response);
  auto text = std::move(response.body);
  if (output == Output::json && !list.empty()) {
    TRY(text, all_pages(server, request, std::move(text), list));
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
  return success();
}

Result<std::string> ServerOptions::ask(exporters::ClientRequest request) const {
  TRY(const auto server, address());
  TRY(auto response, exporters::ask_server(server, request));
  if (response.status >= 300) return error_of(response);
  return std::move(response.body);
}

QueryText& QueryText::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += separator_;
  separator_ = '&';
  text_ += exporters::percent_encode(name) + "=" + exporters::percent_encode(value);
  return *this;
}

}  // namespace gauger::tools
