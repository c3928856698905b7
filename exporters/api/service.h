// The API: which request is which operation, who may call it, and what it answers. Handlers are
// thin: they read the request, call a module, and write the answer; rules live in the modules.
//
// Two lanes. `quick` works from memory on the I/O thread. `slow` reads the disk, parses documents
// or rates usage, and waits for one of a few workers. Whatever writes hands work to the committing
// thread from there, and answers when it is durable (AnswerLater).
//
// Adding an operation: a row in routes.cpp, a handler, and its description in schemas/openapi.yaml;
// a test holds the table and the document equal.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "exporters/access/audit_log.h"
#include "exporters/access/token_book.h"
#include "exporters/api/committer.h"
#include "exporters/api/idempotency.h"
#include "exporters/api/problem.h"
#include "exporters/api/quota_keeper.h"
#include "exporters/http/message.h"
#include "ingest/attribution.h"
#include "ledger/ledger.h"

namespace gauger::exporters {

class Service;
struct Route;

// A request that was admitted.
struct Call {
  const Route* route = nullptr;
  RequestHead head;
  Principal principal;
  std::vector<std::string> parameters;  // of the path, in its order
  std::string body;

  // Empty where the query does not name it.
  std::string_view query(std::string_view name) const;
};

using Answer = Response (*)(Service& service, const Call& call);
using AnswerLater = void (*)(Service& service, Call call, Reply reply);
enum class Lane : uint8_t { quick, slow };

struct Route {
  Method method;
  std::string_view path;       // "/v1/terms/{kind}/{id}"
  std::string_view operation;  // as in the OpenAPI document
  RoleMask roles;              // 0: anybody, without a token
  Lane lane;
  size_t body_bytes_max;
  std::variant<Answer, AnswerLater> handler;
  // The query's names; any other is refused.
  std::span<const std::string_view> query = {};
};

std::span<const Route> routes();

// What other parts of the process know and the API tells.
struct ServiceStatus {
  std::atomic<bool> ready{false};           // replayed, and not stopping
  std::atomic<bool> following{false};       // reads a log
  std::atomic<int64_t> lag{0};              // records of it not read yet
  std::atomic<int64_t> complete_us{0};      // the time that all its partitions are read up to
  std::atomic<int64_t> lag_max{1'000'000};  // above it the server is not ready
  // The online verifier's (ledger/online_verifier.h).
  std::atomic<uint64_t> verified_through{0};
  std::atomic<uint64_t> verification_passes{0};
  std::atomic<uint64_t> verification_mismatches{0};
};

struct ServerStats;
class MetricsCache;

struct ServiceConfig {
  unsigned slow_threads = 2;
  const ingest::Attribution* attribution = nullptr;
  // Where clients may be believed to be on this machine: without tokens only those are served.
  bool open_to_loopback = true;
};

class Service {
 public:
  // All of them outlive the service. `audit` may be null in tests.
  Service(ledger::Ledger& ledger, Committer& committer, TokenBook& tokens, AuditLog* audit,
          const Clock& clock, ServiceConfig config);
  ~Service();

  Admission admit(RequestHead head);
  // Ends the workers; what waits is answered before.
  void stop();

  ledger::Ledger& ledger() { return ledger_; }
  Committer& committer() { return committer_; }
  TokenBook& tokens() { return tokens_; }
  AuditLog* audit() { return audit_; }
  const Clock& clock() const { return clock_; }
  const ServiceConfig& config() const { return config_; }
  ServiceStatus& status() { return status_; }
  MetricsCache& metrics();
  // Of the transport, once there is one.
  std::atomic<const ServerStats*> server_stats{nullptr};
  QuotaKeeper& quotas() { return quotas_; }
  IdempotencyBook& idempotency() { return idempotency_; }

  void audit_denial(const RequestHead& head, const Principal* principal, std::string_view operation,
                    Problem problem);
  // Every change is on record before it is answered.
  Result<void> audit_change(const Call& call, std::string_view target);

  struct Counted {
    std::string_view operation;
    unsigned status;
    uint64_t count;
  };
  // Answers so far, by operation and status.
  std::vector<Counted> answered() const;

 private:
  struct Impl;
  struct Authenticated {
    std::optional<Principal> principal;
    std::string_view why;  // not
  };
  Authenticated authenticate(const RequestHead& head) const;
  Admission admit_call(Call call);
  void answer(Call call, Reply reply);

  ledger::Ledger& ledger_;
  Committer& committer_;
  TokenBook& tokens_;
  AuditLog* const audit_;
  const Clock& clock_;
  const ServiceConfig config_;
  ServiceStatus status_;
  QuotaKeeper quotas_;
  IdempotencyBook idempotency_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::exporters
