#include "ledger/reservation_rules.h"

#include <string>

#include "ledger/hash.h"
#include "schemas/limits.h"

namespace gauger::ledger {

uint64_t hash_of(const QuotaRequest& request) {
  auto hash = hash64(request.model_tier);
  for (const auto& [dimension, value] : request.attributes)
    hash = hash64(value, hash + static_cast<uint64_t>(dimension));
  const auto& amounts = request.amounts;
  const auto cost = amounts.cost.value_or(-1);
  hash = hash64({reinterpret_cast<const char*>(&cost), sizeof cost}, hash);
  hash += static_cast<uint64_t>(amounts.requests);
  return hash64({reinterpret_cast<const char*>(&amounts.counts), sizeof amounts.counts}, hash);
}

Error no_reservation(std::string_view id) {
  return {ErrorCode::not_found, "there is no live reservation '" + std::string(id) + "'"};
}

}  // namespace gauger::ledger
