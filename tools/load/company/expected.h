// What a ledger must show after it took the company's files in: sums of what counts (copies
// once, retracted events not at all, outcomes as told last) and how many records met which
// fate.
#pragma once

#include <map>

#include "tools/load/company/bad_records.h"
#include "tools/load/usage_summary.h"

namespace gauger::load::company {

struct ProgramSummary {
  int64_t roots = 0;  // production
  int64_t retries = 0;
  int64_t fallbacks = 0;
  int64_t accepted = 0;
  int64_t escalated = 0;
  int64_t failed = 0;
  int64_t shadow = 0;
  int64_t distillation = 0;
  bool operator==(const ProgramSummary&) const = default;
};

struct Expected {
  int64_t records = 0;
  int64_t usage_events = 0;  // accepted, those taken back later included
  int64_t outcomes = 0;
  int64_t retractions = 0;          // without usage of their own
  int64_t retractions_waiting = 0;  // of them, for an event that never comes
  int64_t replacements = 0;         // usage events that take another's place
  int64_t taken_back = 0;
  int64_t duplicates = 0;
  int64_t restamped = 0;
  int64_t conflicts = 0;
  std::map<std::string, int64_t> quarantined;  // by reason; conflicts are counted apart
  UsageSummary usage;
  std::map<std::string, UsageCell> by_team;
  // By the boundary that the request's total input lies strictly above, and not above the next.
  std::map<int64_t, UsageCell> by_context_above;
  std::map<std::string, UsageCell> by_usage_source;
  std::map<std::string, ProgramSummary> programs;
};

// The boundaries of by_context_above: those of the providers' price lists.
inline constexpr std::array<int64_t, 5> context_boundaries = {0, 128'000, 200'000, 256'000,
                                                              272'000};

// Of all the records of a month. `resent` records are further copies of accepted ones.
Expected expect(const std::vector<PlannedEvent>& events, const std::vector<BadRecord>& bad,
                int64_t resent);

}  // namespace gauger::load::company
