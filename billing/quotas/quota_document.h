// A quota as a document: YAML in, the ledger's definition out. See billing/README.md for the
// fields. Pure.
#pragma once

#include <string_view>

#include "ledger/quota.h"

namespace gauger::billing {

// invalid_argument with file, line and sentence. What only a ledger can refuse (a zone off its
// grain) is left to ledger::check.
Result<ledger::Quota> parse_quota(std::string_view text, std::string_view file);

// "12.5", "12 USD": an amount in the unit of the measure, for people.
std::string format_amount(const ledger::QuotaMeasure& measure, Int128 amount);

}  // namespace gauger::billing
