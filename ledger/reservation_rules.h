// What may be reserved, and when two requests are the same one. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "ledger/quota.h"
#include "schemas/instant.h"
#include "schemas/result.h"

namespace gauger::ledger {

// Equal for a request that is repeated.
uint64_t hash_of(const QuotaRequest& request);
// invalid_argument, with a sentence, when there can be no such reservation.
Result<void> check_reservation(std::string_view id, Instant now, Instant expires_at);
Error no_reservation(std::string_view id);

}  // namespace gauger::ledger
