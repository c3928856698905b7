// Capacity that was provisioned, shared by the compute time that used it. Private to
// billing/contracts.
#pragma once

#include "billing/contracts/contract_rating.h"

namespace gauger::billing {

// Adds the charges of one regime's part of a month. What nobody used is idle: it is shared by
// use, or goes to `owner_key` where nobody used anything.
Result<void> rate_capacity(const UsageTable& usage, const ContractTerms& terms, Interval interval,
                           std::span<const uint8_t> keys, uint32_t owner_key, Rated& rated);

}  // namespace gauger::billing
