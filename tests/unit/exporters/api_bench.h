// The whole API over a real ledger in a directory of its own, without sockets: requests go in as
// the transport hands them over, answers come back as values. `ask` and `run` may be called from
// several threads, where Catch's own assertions may not.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "billing/document.h"
#include "exporters/access/audit_log.h"
#include "exporters/api/service.h"
#include "schemas/verify.h"
#include "tests/catch.h"

namespace gauger::exporters::testing {

inline Instant at(std::string_view text) { return parse_instant(text).value(); }

struct Ask {
  Method method = Method::get;
  std::string target;
  std::string body = {};
  std::string token = {};
  Fields headers = {};
  bool from_elsewhere = false;
};

class ApiBench {
 public:
  ApiBench() {
    static std::atomic<int> count{0};
    directory = std::filesystem::temp_directory_path() /
                ("gauger-api-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    std::filesystem::remove_all(directory);
    open();
  }
  ~ApiBench() {
    close();
    std::filesystem::remove_all(directory);
  }

  void restart() {
    close();
    open();
  }

  Response ask(const Ask& asked) {
    RequestHead head;
    head.method = asked.method;
    head.peer = asked.from_elsewhere ? "192.0.2.7" : "127.0.0.1";
    head.peer_is_loopback = !asked.from_elsewhere;
    VERIFY(parse_target(asked.target, head).has_value(), "a target is a path");
    head.headers = asked.headers;
    if (head.header("host").empty()) head.headers.emplace_back("host", "127.0.0.1:8383");
    if (!asked.token.empty()) head.headers.emplace_back("authorization", "Bearer " + asked.token);
    if (!asked.body.empty() && head.header("content-type").empty())
      head.headers.emplace_back("content-type", "application/json");
    auto admission = service->admit(std::move(head));
    if (auto* refused = std::get_if<Response>(&admission)) return std::move(*refused);
    auto promise = std::make_shared<std::promise<Response>>();
    auto answer = promise->get_future();
    std::get<Admitted>(admission).answer(
        asked.body, [promise](Response response) { promise->set_value(std::move(response)); });
    VERIFY(answer.wait_for(std::chrono::seconds(30)) == std::future_status::ready,
           "a request is answered");
    return answer.get();
  }
  Response get(std::string target, std::string token = {}) {
    return ask({Method::get, std::move(target), {}, std::move(token)});
  }
  Response post(std::string target, std::string body, std::string token = {}) {
    return ask({Method::post, std::move(target), std::move(body), std::move(token)});
  }

  // A token's secret.
  std::string make_token(AccessRole role, std::vector<std::string> teams = {},
                         std::string name_space = "default") {
    auto made = make_access_token({"test", std::move(name_space), role, std::move(teams), {}},
                                  tokens->key(), clock.now());
    REQUIRE(made.has_value());
    tokens->replace(made.value().token);
    return made.value().secret;
  }

  // On the committing thread, alone.
  void run(std::function<void(ledger::Ledger&)> task) {
    std::promise<void> done;
    VERIFY(committer
               ->submit(CommitTask([&](ledger::Ledger& at) {
                 task(at);
                 done.set_value();
               }))
               .has_value(),
           "the committer takes a task");
    done.get_future().get();
  }

  std::filesystem::path directory;
  FixedClock clock{at("2027-01-16T00:00:00Z")};
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<TokenBook> tokens;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<Committer> committer;
  std::unique_ptr<Service> service;

 private:
  void open() {
    ledger = std::move(ledger::Ledger::open(directory, {}, clock).value());
    const auto key = TokenKey::open(directory, true).value();
    tokens = std::move(TokenBook::load(ledger->documents(), key).value());
    audit = std::move(AuditLog::open(directory, clock).value());
    committer = std::make_unique<Committer>(*ledger, Committer::Config{});
    service = std::make_unique<Service>(*ledger, *committer, *tokens, audit.get(), clock,
                                        ServiceConfig{});
    REQUIRE(service->quotas().refresh().has_value());
    service->status().ready = true;
    stopping = false;
    committing = std::thread([this] {
      while (!stopping) failed = failed || !committer->wait_and_serve();
    });
  }
  void close() {
    service->stop();
    stopping = true;
    committing.join();
    CHECK_FALSE(failed);
    committer.reset();
    CHECK(ledger->close().has_value());
    service.reset();
    ledger.reset();
  }

  std::atomic<bool> stopping{false};
  std::atomic<bool> failed{false};
  std::thread committing;
};

// The text of a member of a JSON object; nested by dots, list items by number.
inline std::string member(const Response& response, std::string_view path) {
  const auto parsed = billing::parse_json(response.body, "the answer");
  if (!parsed) return "no JSON: " + response.body;
  const auto* node = &parsed.value();
  for (size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('.', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    begin = end + 1;
    if (node->kind == billing::Node::Kind::list) {
      const auto index = static_cast<size_t>(std::stoul(std::string(name)));
      if (index >= node->items.size()) return "";
      node = &node->items[index];
    } else {
      node = node->find(name);
    }
    if (node == nullptr) return "";
  }
  return node->text;
}
inline std::string problem_type(const Response& response) {
  const auto type = member(response, "type");
  const auto colon = type.rfind(':');
  return colon == std::string::npos ? "" : type.substr(colon + 1);
}

inline std::string event_json(std::string_view id, std::string_view team, int64_t input = 100) {
  return R"({"source":"gateway","id":")" + std::string(id) + R"(","team":")" + std::string(team) +
         R"(","provider":"anthropic","model":"claude-opus","completed_at":"2027-01-15T12:00:00Z",)" +
         R"("input_uncached":)" + std::to_string(input) + "}";
}

inline constexpr std::string_view price_book = R"(
kind: price_book
id: list
version: 2026-01-01
currency: USD
prices:
  - provider: anthropic
    model: claude-opus
    effective_from: 2026-01-01
    per: million
    input_uncached: 5
    output_text: 25
)";

inline Ask yaml(std::string target, std::string_view body) {
  return {Method::post,
          std::move(target),
          std::string(body),
          {},
          {{"content-type", "application/yaml"}}};
}

}  // namespace gauger::exporters::testing
