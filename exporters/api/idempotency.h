// Idempotency keys. A client that repeats a write with the same `Idempotency-Key` gets the answer
// of the first one again; the same key with another request is a conflict.
//
// What is appended as documents keeps its key in the ledger, in the same commit, so that a crash
// between commit and answer does not double it (documents.cpp). Everything else is remembered here,
// in memory, for a day: events and reservations have identities of their own.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "exporters/http/message.h"
#include "schemas/clock.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {

struct Call;

// What a key stands for: who used it, and for which request.
struct IdempotencyKey {
  std::string id;       // hex of a hash over the principal and the key
  std::string request;  // hex of a hash over method, target and body
};
// None where the request carries no key. invalid_argument where it is too long.
Result<std::optional<IdempotencyKey>> idempotency_key_of(const Call& call);

class IdempotencyBook {
 public:
  explicit IdempotencyBook(const Clock& clock) : clock_(clock) {}

  // first: go on, and `finish` or `forget` it. running: the first one has not been answered.
  enum class State : uint8_t { first, running, other_request };
  std::variant<State, Response> begin(const IdempotencyKey& key);
  void finish(const IdempotencyKey& key, const Response& response);
  void forget(const IdempotencyKey& key);

 private:
  struct Entry {
    std::string request;
    std::optional<Response> response;
  };
  void expire();

  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::pair<Instant, std::string>> by_age_;
};

}  // namespace gauger::exporters
