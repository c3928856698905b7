// The rules that every usage event obeys, whichever format brought it: who it is, how long its
// texts are, that its counts are possible and add up, and that it says enough to be counted.
// Text must be UTF-8 already; times must lie within the years 1 to 9999.
//
// Not checked here: the admission window and identities seen before (the ledger does).
#pragma once

#include <string>
#include <string_view>

#include "schemas/reject_reason.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

// RejectReason::none, or the first rule that is broken, and then a sentence with the numbers in
// `detail`. Does not touch `detail` where nothing is wrong.
RejectReason check(const UsageEvent& event, std::string& detail);

// Years 1 to 9999, what a Timestamp may hold.
inline constexpr int64_t timestamp_seconds_min = -62'135'596'800;
inline constexpr int64_t timestamp_seconds_max = 253'402'300'799;

// The part of a text that a sentence may show: bounded, cut between characters.
std::string_view shown(std::string_view text);

// Sorts by name. The order on the wire means nothing, and a map has none.
void sort_extras(std::span<ExtraCount> extras);

}  // namespace gauger::ingest
