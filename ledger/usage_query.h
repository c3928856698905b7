// What may be asked of the rollups: an interval, what to tell apart, what to leave out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/instant.h"
#include "schemas/usage_key.h"

namespace gauger::ledger {

// The parts of a usage key.
enum class Dimension : uint8_t {
  name_space,
  team,
  project,
  workload,
  provider,
  provider_account,
  model,
  region,
  accelerator,
  program,
  service_tier,
  context_tier,
  role,
  outcome,
  purpose,
  exposure,
  usage_source,
};
inline constexpr std::array<std::string_view, 17> dimension_names = {
    "namespace", "team",    "project",     "workload", "provider",     "provider_account",
    "model",     "region",  "accelerator", "program",  "service_tier", "context_tier",
    "role",      "outcome", "purpose",     "exposure", "usage_source"};

using DimensionMask = uint32_t;
constexpr DimensionMask mask_of(Dimension dimension) {
  return DimensionMask{1} << static_cast<unsigned>(dimension);
}
inline constexpr DimensionMask all_dimensions = (DimensionMask{1} << dimension_names.size()) - 1;

// How rows are told apart in time. Days and months are the ledger's civil ones.
enum class Bucket : uint8_t { none, grain, hour, day, month };

struct Filter {
  Dimension dimension;
  std::string value;  // a name; for enums their name, for the context tier its number
};

struct UsageQuery {
  Interval interval;  // on the grain; refused otherwise
  DimensionMask group = all_dimensions;
  Bucket bucket = Bucket::none;
  std::vector<Filter> filters;  // all must hold
};

}  // namespace gauger::ledger
