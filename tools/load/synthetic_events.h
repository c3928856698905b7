// The benchmark's traffic. Event n is a function of the seed and n alone, so a duplicate of any
// earlier event can be made again without having kept it, and a run is the same on every
// platform.
//
// Teams, models and workloads are drawn independently by Zipf's law, which makes more distinct
// rollup keys than a real company has: the hard case. Lengths, cache shares and service times
// follow trace_shapes.h.
#pragma once

#include <string>
#include <vector>

#include "schemas/usage_event.h"
#include "tools/load/alias_table.h"
#include "tools/load/request_id.h"
#include "tools/load/request_shape.h"

namespace gauger::load {

struct SyntheticConfig {
  uint64_t records = 20'000'000;  // duplicates included
  uint64_t seed = 1;
  uint32_t teams = 1'000;
  uint32_t models = 60;
  uint32_t workloads = 200;
  uint32_t zipf_milli = 1'000;               // exponent, in thousandths
  uint32_t duplicates_per_million = 10'000;  // half of them with another time
  uint32_t late_per_million = 10'000;
  Instant from;
  Duration span;      // all events complete within [from, from + span)
  Duration late_max;  // how long after its time a late event comes
};

struct SyntheticEvent {
  UsageEvent event;
  uint32_t team;  // indices, for counting
  uint32_t model;
  IdText id;
};

class SyntheticEvents {
 public:
  explicit SyntheticEvents(const SyntheticConfig& config);

  // The distinct event `index`, 0 <= index < config.records. Its views point into this object
  // and into `made`.
  void make(uint64_t index, SyntheticEvent& made) const;

  const std::string& team_name(uint32_t team) const { return teams_[team]; }
  const std::string& model_name(uint32_t model) const { return models_[model].name; }

 private:
  struct Model {
    std::string name;
    uint8_t provider;  // index into the table of providers
    bool reasons;
  };
  struct Workload {
    std::string name;
    std::string program;
    Shape shape;
    ServiceTier tier;
  };

  void set_times(uint64_t index, Random& random, UsageEvent& event) const;
  void set_input(Shape shape, bool caches, Random& random, UsageEvent& event) const;
  void set_output(Shape shape, bool reasons, Random& random, UsageEvent& event) const;
  void set_program(const Workload& workload, Random& random, UsageEvent& event) const;

  SyntheticConfig config_;
  Uint128 step_;
  AliasTable team_table_;
  AliasTable model_table_;
  AliasTable workload_table_;
  std::vector<std::string> teams_;
  std::vector<std::string> projects_;
  std::vector<std::string> sources_;
  std::vector<Model> models_;
  std::vector<Workload> workloads_;
};

}  // namespace gauger::load
