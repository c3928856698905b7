// Events by HTTP, through the real handlers, committer and idempotency keys, without sockets. The
// network loses requests and answers; the client repeats with the same key until it is answered,
// over crashes of the service too.
#include <atomic>
#include <thread>

#include "exporters/access/token_book.h"
#include "exporters/api/service.h"
#include "tests/simulation/world.h"

namespace gauger::simulation {

// The service of one life of the ledger. What it does on threads of its own is waited for.
struct World::Http {
  Http(ledger::Ledger& the_ledger, const Clock& clock)
      : ledger(the_ledger),
        committer(ledger, {}),
        tokens(std::move(exporters::TokenBook::load(ledger.documents(),
                                                    exporters::TokenKey(std::array<uint8_t, 32>{}))
                             .value())),
        service(ledger, committer, *tokens, nullptr, clock, {}) {
    service.status().ready = true;
  }
  ~Http() { service.stop(); }

  // An error where the ledger failed; there may be an answer all the same.
  Result<void> ask(const Request& request, exporters::Response& answer) {
    exporters::RequestHead head;
    head.method = exporters::Method::post;
    head.peer = "127.0.0.1";
    head.peer_is_loopback = true;
    require(exporters::parse_target("/v1/events", head).has_value(), "a path is a path");
    head.headers = {{"host", "127.0.0.1:8383"},
                    {"content-type", "application/x-ndjson"},
                    {"idempotency-key", request.key}};
    std::string body;
    for (const auto& record : request.records) body += *record.bytes + '\n';
    auto admission = service.admit(std::move(head));
    require(std::holds_alternative<exporters::Admitted>(admission), "a request was not admitted");
    std::atomic<bool> answered{false};
    std::get<exporters::Admitted>(admission).answer(std::move(body),
                                                    [&](exporters::Response response) {
                                                      answer = std::move(response);
                                                      answered = true;
                                                    });
    Result<void> done = success();
    while (!answered) {
      if (const auto served = committer.serve_waiting(); !served) done = served.error();
      if (const auto flushed = ledger.flush(); !flushed) done = flushed.error();
      std::this_thread::yield();
    }
    return done;
  }

  ledger::Ledger& ledger;
  exporters::Committer committer;
  std::unique_ptr<exporters::TokenBook> tokens;
  exporters::Service service;
};

World::~World() {
  drop_ledger();
  std::error_code error;
  if (!root_.empty()) std::filesystem::remove_all(root_, error);
}

void World::drop_ledger() {
  http_.reset();
  ledger_.reset();
}

void World::request(Choices& choices) {
  if (unanswered_.empty() || choices.one_in(2)) {
    Request fresh;
    fresh.key = "key-" + std::to_string(fresh_ids_++);
    for (auto count = 1 + choices.below(5); count > 0; --count)
      fresh.records.push_back(record_of(choices));
    unanswered_.push_back(std::move(fresh));
  }
  if (choices.one_in(4)) return;  // it never came
  const auto which = choices.below(unanswered_.size());
  const bool answered = !choices.one_in(3);
  if (!flush() || !send(unanswered_[which], answered) || !answered) return;
  unanswered_.erase(unanswered_.begin() + static_cast<std::ptrdiff_t>(which));
}

bool World::send(Request& request, bool answered) {
  if (!http_) http_ = std::make_shared<Http>(*ledger_, clock_);
  // What was answered in this life is answered again from memory; a new one finds duplicates.
  const bool replayed = request.life == counts_.starts;
  auto next = model_;
  if (!replayed) next.deliver(request.records, clock_.now());
  exporters::Response response;
  if (!commit(next, replayed ? Expect::no_block : Expect::block,
              [&] { return http_->ask(request, response); }))
    return false;
  acknowledge();
  ++counts_.requests;
  counts_.replays += replayed;
  require(response.status == 200, "a request is answered with " + response.body);
  require(!replayed || response.body == request.answer,
          "a request that was repeated got another answer");
  if (!answered) {
    request.life = counts_.starts;
    request.answer = response.body;
  }
  return true;
}

}  // namespace gauger::simulation
