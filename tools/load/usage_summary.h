// What a ledger must show after it took a run's files in: exact sums, each identity counted
// once. Written beside the data as JSON, for a run to be compared with.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "schemas/instant.h"
#include "schemas/meter.h"
#include "tools/load/json_text.h"

namespace gauger::load {

// Requests and the sums of their meters.
struct UsageCell {
  int64_t requests = 0;
  Counts counts{};

  void add(const Counts& more) {
    ++requests;
    for (size_t i = 0; i < meter_count; ++i) counts[i] += more[i];
  }
  UsageCell& operator+=(const UsageCell& other) {
    requests += other.requests;
    for (size_t i = 0; i < meter_count; ++i) counts[i] += other.counts[i];
    return *this;
  }
  bool operator==(const UsageCell&) const = default;
};

// "2026-10-31", the UTC day.
std::string utc_day(Instant instant);

using TeamAndModel = std::pair<std::string, std::string>;

struct UsageSummary {
  UsageCell total;
  std::map<TeamAndModel, UsageCell> by_team_model;
  std::map<std::string, UsageCell> by_day;  // UTC, by the time of completion
};

// Meters that are zero are left out, as in the events.
void write_members(JsonText& json, const UsageCell& cell);
// The members "total", "by_team_model" and "by_day".
void write_members(JsonText& json, const UsageSummary& summary);

}  // namespace gauger::load
