// Events for the ledger's tests, small and valid.
#pragma once

#include <string>

#include "ledger/ledger.h"
#include "ledger/memory_store.h"
#include "schemas/clock.h"
#include "schemas/usage_event.h"
#include "tests/catch.h"

namespace gauger::ledger::testing {

inline Instant at(std::string_view text) { return parse_instant(text).value(); }

inline UsageEvent usage_event(std::string_view id, int64_t input, int64_t output,
                              std::string_view team = "search") {
  UsageEvent event;
  event.source = "gateway";
  event.id = id;
  event.completed_at = at("2027-01-15T12:00:00Z");
  event.started_at = event.completed_at - std::chrono::seconds{2};
  event.team = team;
  event.provider = "anthropic";
  event.model = "claude-opus";
  event.set(Meter::input_uncached, input);
  event.set(Meter::output_text, output);
  return event;
}

inline UsageEvent retraction(std::string_view id, std::string_view target) {
  UsageEvent event;
  event.source = "gateway";
  event.id = id;
  event.retracts = {"", target, "billed in error"};
  return event;
}

inline UsageEvent outcome_event(std::string_view id, std::string_view target, Outcome outcome) {
  UsageEvent event;
  event.source = "gateway";
  event.id = id;
  event.outcome_of = {"", target, ""};
  event.outcome = outcome;
  return event;
}

// A single-threaded ledger over memory, with a clock that stands still.
class Bench {
 public:
  explicit Bench(uint64_t hot_identities = LedgerOptions{}.hot_identities_max)
      : hot_identities_max(hot_identities) {
    reopen();
  }

  // What a killed process leaves; with `power_cut`, what unsynced writes leave.
  void reopen(bool power_cut = false) {
    ledger.reset();
    if (power_cut) store.lose_unsynced();
    LedgerOptions options;
    options.single_threaded = true;
    options.hot_identities_max = hot_identities_max;
    auto opened = Ledger::open(store, options, clock);
    REQUIRE(opened.has_value());
    ledger = std::move(opened.value());
  }

  // Commits the events as one batch, without syncing it.
  void commit(const std::vector<UsageEvent>& events, bool backfill = false) {
    auto& batch = ledger->batch();
    batch.begin_segment({"default", "kafka:test/usage", 0, backfill}, next_offset);
    for (const auto& event : events) batch.add(event, next_offset++, event.id);
    batch.end_segment(next_offset, 0, 0);
    REQUIRE(ledger->commit().has_value());
  }
  void flush() { REQUIRE(ledger->flush().has_value()); }

  UsageTable usage(DimensionMask group = 0) const {
    UsageQuery query;
    query.interval = {at("2026-01-01"), at("2028-01-01")};
    query.group = group;
    return ledger->usage(query).value();
  }
  // Over everything.
  int64_t sum(Meter meter) const {
    int64_t sum = 0;
    for (const auto& row : usage().rows) sum += row.counts[static_cast<size_t>(meter)];
    return sum;
  }
  int64_t requests() const {
    int64_t sum = 0;
    for (const auto& row : usage().rows) sum += row.requests;
    return sum;
  }
  uint64_t records(Disposition disposition) const {
    return ledger->status().head.records[static_cast<size_t>(disposition)];
  }

  const uint64_t hot_identities_max;
  FixedClock clock{at("2027-01-16T00:00:00Z")};
  MemoryStore store;
  std::unique_ptr<Ledger> ledger;
  int64_t next_offset = 0;
};

}  // namespace gauger::ledger::testing
