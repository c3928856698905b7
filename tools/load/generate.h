// Seeded events for the benchmark, in one file, and the sums a ledger must show for it.
#pragma once

#include <string>

#include "tools/load/output_file.h"
#include "tools/load/synthetic_events.h"
#include "tools/load/usage_summary.h"

namespace gauger::load {

struct GenerateOptions {
  SyntheticConfig synthetic;
  EventFormat format = EventFormat::protobuf;
  std::string output;
  std::string summary;  // empty: none is written
};

struct Generated {
  uint64_t events = 0;      // distinct
  uint64_t duplicates = 0;  // byte for byte
  uint64_t restamped = 0;   // duplicates with another time
  UsageSummary summary;     // each identity once, at the time of its first record
};

// The most that can be counted in memory.
inline constexpr uint64_t team_model_pairs_max = 4'000'000;

Result<Generated> generate(const GenerateOptions& options);

}  // namespace gauger::load
