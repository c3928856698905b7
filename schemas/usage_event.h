// One usage event as the decoders hand it to the ledger: views into the record's bytes, owning
// nothing. Valid until the decoder reads its next record. The words are those of
// usage_event.proto. A decoder guarantees well-formed values (times in range, UTF-8, known
// enums); ledger/admission.h decides whether the event may be counted.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "schemas/instant.h"
#include "schemas/meter.h"
#include "schemas/usage_key.h"

namespace gauger {

struct ExtraCount {
  std::string_view name;
  int64_t count;
};

// What a retraction or an outcome speaks of. Empty id: none.
struct EventTarget {
  std::string_view source;  // empty: the source of the event itself
  std::string_view id;
  std::string_view reason;
};

inline constexpr Instant no_instant = instant_from_us(std::numeric_limits<int64_t>::min());
inline constexpr int64_t no_total = std::numeric_limits<int64_t>::min();

struct UsageEvent {
  std::string_view source;
  std::string_view id;
  Instant started_at = no_instant;
  Instant completed_at = no_instant;

  std::string_view team;
  std::string_view project;
  std::string_view workload;
  std::string_view agent_session;
  std::string_view provider;
  std::string_view provider_account;
  std::string_view model;
  std::string_view region;
  std::string_view accelerator;
  std::string_view provider_request_id;
  std::string_view program;
  std::string_view parent_id;
  std::string_view reservation_id;

  ServiceTier service_tier = ServiceTier::standard;
  UsageSource usage_source = UsageSource::reported;
  Purpose purpose = Purpose::production;
  Exposure exposure = Exposure::internal;
  Role role = Role::root;
  Outcome outcome = Outcome::absent;

  MeterMask present = 0;
  Counts counts{};                     // zero where `present` has no bit
  std::span<const ExtraCount> extras;  // distinct names
  int64_t input_total = no_total;
  int64_t output_total = no_total;

  EventTarget retracts;
  EventTarget outcome_of;

  // Where a mapping document decided team, project and workload: a hash of what it decided
  // from. The content hash then covers this instead of them, so that a later mapping does not
  // turn a redelivery into a conflict. 0: the producer said who.
  uint64_t attribution_hash = 0;

  void set(Meter meter, int64_t count) {
    counts[static_cast<size_t>(meter)] = count;
    present = static_cast<MeterMask>(present | mask_of(meter));
  }
  bool has(Meter meter) const { return (present & mask_of(meter)) != 0; }
};

}  // namespace gauger
