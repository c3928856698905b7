// One record of the company's month before it is encoded: a plain value that refers to its
// workload by index and to identities by serial number, so that half a million of them fit in
// memory.
#pragma once

#include <limits>

#include "schemas/usage_event.h"
#include "tools/load/company/plan.h"

namespace gauger::load::company {

inline constexpr uint64_t no_serial = std::numeric_limits<uint64_t>::max();

enum class Kind : uint8_t { usage, outcome, retraction };

// What the ledger must do with a record.
enum class Fate : uint8_t { accepted, duplicate, restamped, conflict };

// Texts of a record that point into this, until it is used for another.
struct PlannedTexts {
  IdText id;
  IdText parent_id;
  IdText request_id;
  IdText session;
  IdText target;
};

struct PlannedEvent {
  uint64_t serial = 0;  // its identity, together with the feed
  uint64_t parent = no_serial;
  uint64_t session = no_serial;
  uint64_t target = no_serial;  // of an outcome or a retraction
  Instant arrives_at{};         // the order in its file
  Instant started_at{};
  Instant completed_at{};
  Counts counts{};
  MeterMask present = 0;
  uint16_t workload = 0;
  Kind kind = Kind::usage;
  Fate fate = Fate::accepted;
  bool by_teacher = false;
  UsageSource usage_source = UsageSource::reported;
  Role role = Role::root;
  Outcome outcome = Outcome::absent;
  bool taken_back = false;                  // by a retraction, somewhere in the month
  Outcome final_outcome = Outcome::absent;  // with what is told later

  void set(Meter meter, int64_t count) {
    counts[static_cast<size_t>(meter)] = count;
    present = static_cast<MeterMask>(present | mask_of(meter));
  }
  int64_t count(Meter meter) const { return counts[static_cast<size_t>(meter)]; }

  const Workload& plan() const { return workloads()[workload]; }
  const Call& call() const { return by_teacher ? *plan().teacher : plan().call; }
};

// The record as it is written. Views into `texts` and into the plan.
UsageEvent to_usage_event(const PlannedEvent& planned, uint64_t seed, PlannedTexts& texts);

}  // namespace gauger::load::company
