// Requests to the API, from the bytes of a head and a body to the answer: targets, queries,
// cursors, tokens, conditions, idempotency keys, bodies. Every one is answered; no answer is an
// internal error; who has no token gets nothing but a refusal; and the ledger stays sound.
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <filesystem>
#include <future>
#include <thread>

#include "exporters/access/audit_log.h"
#include "exporters/api/service.h"
#include "tests/fuzz/fuzz_input.h"

using namespace gauger;
using namespace gauger::exporters;
using gauger::ingest::require;

namespace {

// A service over a ledger of its own, gone at exit.
class Running {
 public:
  Running() {
    directory_ =
        std::filesystem::temp_directory_path() / ("gauger-api-fuzz-" + std::to_string(::getpid()));
    std::filesystem::remove_all(directory_);
    ledger_ = std::move(ledger::Ledger::open(directory_, {}, clock_).value());
    const auto key = TokenKey::open(directory_, true).value();
    tokens_ = std::move(TokenBook::load(ledger_->documents(), key).value());
    audit_ = std::move(AuditLog::open(directory_, clock_).value());
    committer_ = std::make_unique<Committer>(*ledger_, Committer::Config{});
    service_ = std::make_unique<Service>(*ledger_, *committer_, *tokens_, audit_.get(), clock_,
                                         ServiceConfig{});
    service_->status().ready = true;
    committing_ = std::thread([this] {
      while (!stopping_) require(committer_->wait_and_serve().has_value(), "the ledger failed");
    });
  }
  ~Running() {
    service_->stop();
    stopping_ = true;
    committing_.join();
    committer_.reset();
    require(ledger_->close().has_value(), "the ledger does not close");
    service_.reset();
    ledger_.reset();
    std::filesystem::remove_all(directory_);
  }

  Response ask(RequestHead head, std::string body) {
    auto admission = service_->admit(std::move(head));
    if (auto* refused = std::get_if<Response>(&admission)) return std::move(*refused);
    auto& admitted = std::get<Admitted>(admission);
    body.resize(std::min(body.size(), admitted.body_bytes_max));
    auto promise = std::make_shared<std::promise<Response>>();
    auto answer = promise->get_future();
    admitted.answer(std::move(body),
                    [promise](Response response) { promise->set_value(std::move(response)); });
    require(answer.wait_for(std::chrono::seconds(20)) == std::future_status::ready,
            "a request is not answered");
    return answer.get();
  }

 private:
  FixedClock clock_{parse_instant("2027-01-16T00:00:00Z").value()};
  std::filesystem::path directory_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<TokenBook> tokens_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Service> service_;
  std::atomic<bool> stopping_{false};
  std::thread committing_;
};

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

// The first byte: method, and whether it comes from this machine. Then a line with the target,
// lines of headers, an empty line, and the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Running running;
  if (size == 0) return 0;
  auto text = gauger::ingest::view(data + 1, size - 1);
  RequestHead head;
  head.method = static_cast<Method>(data[0] % method_names.size());
  head.peer_is_loopback = data[0] < 128;
  head.peer = head.peer_is_loopback ? "127.0.0.1" : "192.0.2.7";
  if (!parse_target(take_line(text), head).has_value()) return 0;
  head.headers.emplace_back("host", "127.0.0.1:8383");
  for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
    const auto colon = std::min(line.find(':'), line.size());
    std::string name(line.substr(0, colon));
    for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!head.header(name).empty()) continue;
    head.headers.emplace_back(name, line.substr(std::min(colon + 1, line.size())));
  }
  const bool open =
      head.path == "/livez" || head.path == "/readyz" || head.path == "/v1/openapi.yaml";
  const bool stranger = !head.peer_is_loopback;
  const auto response = running.ask(std::move(head), std::string(text));
  require(response.status >= 200 && response.status < 600, "a status that is none");
  require(response.status != 500, "an internal error: " + response.body);
  require(!stranger || open || response.status >= 400, "a stranger without a token is served");
  for (const auto& [name, value] : response.headers)
    require(value.find_first_of("\r\n") == value.npos, "a header of the answer holds a line end");
  return 0;
}
