// Counts and times as text, read exactly: no floating point stands between a count and its
// digits.
#pragma once

#include <cstdint>
#include <string_view>

#include "schemas/instant.h"

namespace gauger::ingest {

enum class Whole : uint8_t {
  ok,
  malformed,  // not a number
  not_whole,  // a number between two integers
  too_large,  // beyond 64 bits
};

// A JSON number whose value is an integer, however it is written: 12, 12.0, 1.2e1.
Whole parse_json_integer(std::string_view text, int64_t& value);

// Decimal digits after an optional sign, as counts are quoted in JSON and written in CSV.
Whole parse_digits(std::string_view text, int64_t& value);

// RFC 3339 as protobuf's JSON mapping has it: "2027-01-16T00:00:00.123Z", "…+01:00", in capital
// letters, in the years 1 to 9999 UTC; digits beyond the microsecond are cut off. no_instant
// where it is not one.
Instant parse_timestamp(std::string_view text);

// The same, as logs and databases write it: a space for the T, no zone (UTC is meant), a zone of
// "+00" or "+0000". no_instant where it is not one.
Instant parse_loose_timestamp(std::string_view text);

// Seconds since 1970 scaled by 10^digits: digits 0 for seconds, 3 for milliseconds. Fractions
// below the microsecond are cut off.
Instant parse_unix_time(std::string_view text, int digits);

}  // namespace gauger::ingest
