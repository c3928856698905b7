// One usage event as bytes: a length-delimited protobuf message, or a JSON line in protobuf's
// JSON mapping with the field names of usage_event.proto and counts as numbers. Only what is
// set is written. The protobuf classes of schemas/ do the same at a tenth of the speed; the
// tests hold the two against each other.
//
// Values are written as they are, also ones that no ledger should accept: a negative count, an
// identity that is too long.
#pragma once

#include <cstddef>

#include "schemas/usage_event.h"

namespace gauger::load {

// An upper bound of what either encoder writes for this event.
size_t encoded_bytes_max(const UsageEvent& event);

// Both write to `out`, which has room for encoded_bytes_max, and return the end.
char* encode_delimited_protobuf(const UsageEvent& event, char* out);
char* encode_json_line(const UsageEvent& event, char* out);

}  // namespace gauger::load
