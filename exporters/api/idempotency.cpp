#include "exporters/api/idempotency.h"

#include "exporters/api/service.h"
#include "ledger/hash.h"

namespace gauger::exporters {

Result<std::optional<IdempotencyKey>> idempotency_key_of(const Call& call) {
  const auto key = call.head.header("idempotency-key");
  if (key.empty()) return std::optional<IdempotencyKey>();
  if (key.size() > limits::idempotency_key_bytes_max)
    return invalid_argument("an Idempotency-Key has at most 255 characters");
  const auto hash = [](std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const auto part : parts) all += std::to_string(part.size()) + ":" + std::string(part);
    return ledger::to_hex(ledger::sha256(all));
  };
  return std::optional(
      IdempotencyKey{hash({call.principal.name_space, call.principal.token_id, key}),
                     hash({to_string(call.head.method), call.head.target,
                           call.head.header("content-type"), call.body})});
}

std::variant<IdempotencyBook::State, Response> IdempotencyBook::begin(const IdempotencyKey& key) {
  const std::lock_guard guard(mutex_);
  expire();
  const auto [found, fresh] = entries_.try_emplace(key.id);
  auto& entry = found->second;
  if (fresh) {
    entry.request = key.request;
    by_age_.emplace_back(clock_.now(), key.id);
    return State::first;
  }
  if (entry.request != key.request) return State::other_request;
  if (!entry.response) return State::running;
  return *entry.response;
}

void IdempotencyBook::finish(const IdempotencyKey& key, const Response& response) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(key.id);
  if (found != entries_.end()) found->second.response = response;
}

void IdempotencyBook::forget(const IdempotencyKey& key) {
  const std::lock_guard guard(mutex_);
  entries_.erase(key.id);
}

void IdempotencyBook::expire() {
  const auto oldest = clock_.now() - limits::idempotency_window;
  while (!by_age_.empty() &&
         (by_age_.front().first < oldest || by_age_.size() > limits::idempotency_keys_max)) {
    entries_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

}  // namespace gauger::exporters
