// Decimals of statements, exactly: providers write up to thirty digits behind the point, some of
// them the dirt of doubles, and none is dropped. Pure.
#pragma once

#include <string>
#include <string_view>

#include "billing/rational.h"
#include "schemas/result.h"

namespace gauger::billing {

// More of anything in one line is a mistake; sums of any statement stay far inside 128 bits.
inline constexpr int64_t statement_number_max = 1'000'000'000'000'000'000;

// The decimal times 10^digits. invalid_argument where it is none, has more than 36 digits behind
// the point, or is above statement_number_max.
Result<Rational> read_exact(std::string_view text, int digits = 0);

// The value divided by 10^digits as a decimal; the value has finitely many digits.
std::string exact_text(const Rational& value, int digits = 0);

}  // namespace gauger::billing
