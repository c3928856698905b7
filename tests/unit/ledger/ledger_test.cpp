// Why: P1 to P4 in small. How: the real ledger over a store in memory that can lose what was
// not synced.
#include "ledger/ledger.h"

#include "ledger/quarantine.h"
#include "ledger/store.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

TEST_CASE("an identity is counted once, whatever its timestamp says", "[ledger]") {
  Bench bench;
  const auto first = usage_event("a", 100, 10);
  auto restamped = first;
  restamped.completed_at += std::chrono::hours{3};
  bench.commit({first, first, usage_event("b", 1, 1)});
  bench.commit({first, restamped});
  bench.flush();
  CHECK(bench.requests() == 2);
  CHECK(bench.sum(Meter::input_uncached) == 101);
  CHECK(bench.records(Disposition::accepted) == 2);
  CHECK(bench.records(Disposition::duplicate) == 2);
  CHECK(bench.records(Disposition::restamped) == 1);
}

TEST_CASE("the same identity with other content is a conflict and the first one stands",
          "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 100, 10)});
  bench.commit({usage_event("a", 101, 10), usage_event("a", 100, 10, "ads")});
  bench.flush();
  CHECK(bench.sum(Meter::input_uncached) == 100);
  CHECK(bench.records(Disposition::conflict) == 2);
}

TEST_CASE("zero is not absent and so another content", "[ledger]") {
  Bench bench;
  auto zero = usage_event("a", 100, 10);
  zero.set(Meter::cache_read, 0);
  bench.commit({usage_event("a", 100, 10), zero});
  bench.flush();
  CHECK(bench.records(Disposition::conflict) == 1);
}

TEST_CASE("namespaces and sources keep their identities apart", "[ledger]") {
  Bench bench;
  auto other_source = usage_event("a", 1, 1);
  other_source.source = "batch-runner";
  bench.commit({usage_event("a", 1, 1), other_source});
  auto& batch = bench.ledger->batch();
  batch.begin_segment({"tenant-2", "file:test", 1, false}, 0);
  batch.add(usage_event("a", 1, 1), 0, "a");
  batch.end_segment(1, 0, 0);
  bench.flush();
  CHECK(bench.requests() == 3);
}

TEST_CASE("a retraction takes back what was counted, once", "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 100, 10), usage_event("b", 7, 7)});
  bench.commit({retraction("r1", "a"), retraction("r2", "a")});
  bench.flush();
  CHECK(bench.requests() == 1);
  CHECK(bench.sum(Meter::input_uncached) == 7);
  CHECK(bench.records(Disposition::duplicate) == 1);
  // The identity stays consumed.
  bench.commit({usage_event("a", 100, 10)});
  bench.flush();
  CHECK(bench.requests() == 1);
}

TEST_CASE("a retraction waits for an original that has not come", "[ledger]") {
  for (const bool restart : {false, true}) {
    Bench bench;
    bench.commit({retraction("r1", "a")});
    bench.flush();
    CHECK(bench.ledger->status().waiting == 1);
    if (restart) bench.reopen();
    bench.commit({usage_event("a", 100, 10), usage_event("b", 7, 7)});
    bench.flush();
    CHECK(bench.requests() == 1);
    CHECK(bench.sum(Meter::input_uncached) == 7);
    CHECK(bench.ledger->status().waiting == 0);
  }
}

TEST_CASE("nothing retracts a retraction", "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 100, 10), retraction("r1", "a"), retraction("r2", "r1")});
  bench.flush();
  CHECK(bench.requests() == 0);
  CHECK(bench.usage().rows.empty());
  CHECK(bench.records(Disposition::quarantined) == 1);
}

TEST_CASE("what becomes of a twin does not depend on where batches end", "[ledger]") {
  // The first "second" says nothing new and uses up no identity, so the other one counts.
  for (const bool one_batch : {false, true}) {
    Bench bench;
    bench.commit({usage_event("a", 10, 1), usage_event("b", 20, 1), retraction("first", "a")});
    const std::vector<UsageEvent> events = {retraction("second", "a"), retraction("second", "b"),
                                            retraction("second", "b")};
    if (one_batch) bench.commit(events);
    for (size_t i = 0; !one_batch && i < events.size(); ++i) bench.commit({events[i]});
    bench.flush();
    CHECK(bench.requests() == 0);
    CHECK(bench.records(Disposition::duplicate) == 2);
    CHECK(bench.records(Disposition::conflict) == 0);
  }
}

TEST_CASE("a reported usage replaces a missing one", "[ledger]") {
  Bench bench;
  auto missing = usage_event("a", 0, 0);
  missing.present = 0;
  missing.counts = {};
  missing.usage_source = UsageSource::missing;
  auto reported = usage_event("a-reported", 100, 10);
  reported.retracts = {"", "a", "usage came late"};
  bench.commit({missing});
  bench.commit({reported});
  bench.flush();
  const auto table = bench.usage(mask_of(Dimension::usage_source));
  REQUIRE(table.rows.size() == 1);
  CHECK(table.key(table.rows[0]).usage_source == UsageSource::reported);
  CHECK(table.rows[0].requests == 1);
}

TEST_CASE("what waits for an event that is given up takes nothing back", "[ledger]") {
  Bench bench;
  bench.commit({retraction("r", "u"), retraction("x", "nobody")});
  // Usage that would replace what is no usage is set aside, and so was never counted.
  auto usage = usage_event("u", 100, 10);
  usage.retracts = {"", "x", "reported at last"};
  bench.commit({usage});
  bench.flush();
  CHECK(bench.records(Disposition::quarantined) == 1);
  CHECK(bench.requests() == 0);
  CHECK(bench.sum(Meter::input_uncached) == 0);
  CHECK(bench.ledger->status().waiting == 2);
}

TEST_CASE("an outcome moves its row, and can move it again", "[ledger]") {
  Bench bench;
  bench.commit({outcome_event("o1", "a", Outcome::accepted)});
  bench.commit({usage_event("a", 100, 10)});
  bench.commit({outcome_event("o2", "a", Outcome::escalated)});
  bench.flush();
  const auto table = bench.usage(mask_of(Dimension::outcome));
  REQUIRE(table.rows.size() == 1);
  CHECK(table.key(table.rows[0]).outcome == Outcome::escalated);
  CHECK(table.rows[0].counts[0] == 100);
  // A retraction finds the counts where they are now.
  bench.commit({retraction("r", "a")});
  bench.flush();
  CHECK(bench.usage().rows.empty());
}

TEST_CASE("events outside the admission window are quarantined unless they are backfill",
          "[ledger]") {
  Bench bench;
  auto old = usage_event("old", 1, 1);
  old.completed_at = bench.clock.now() - std::chrono::days{34} - std::chrono::seconds{1};
  old.started_at = no_instant;
  auto future = usage_event("future", 1, 1);
  future.completed_at = bench.clock.now() + std::chrono::minutes{6};
  auto barely = usage_event("barely", 1, 1);
  barely.completed_at = bench.clock.now() - std::chrono::days{34};
  bench.commit({old, future, barely});
  bench.flush();
  CHECK(bench.requests() == 1);
  CHECK(bench.records(Disposition::quarantined) == 2);
  bench.commit({old}, true);
  bench.flush();
  CHECK(bench.requests() == 2);
}

TEST_CASE("bad bytes are quarantined once however often they come", "[ledger]") {
  Bench bench;
  for (int round = 0; round < 3; ++round) {
    auto& batch = bench.ledger->batch();
    batch.begin_segment({"default", "file:bad", 0, false}, round * 2);
    batch.reject(RejectReason::undecodable, "not JSON", round * 2, "garbage");
    batch.reject(RejectReason::undecodable, "not JSON", round * 2 + 1, "garbage");
    batch.end_segment(round * 2 + 2, 0, 0);
    bench.flush();
  }
  int kept = 0;
  CHECK(bench.store
            .scan(Family::quarantine, "R", "S",
                  [&](std::string_view key, std::string_view value) -> Result<bool> {
                    TRY(const auto record, decode_quarantined(key, value));
                    CHECK(record.raw == "garbage");
                    CHECK(record.offset == 0);
                    ++kept;
                    return true;
                  })
            .has_value());
  CHECK(kept == 1);
  CHECK(bench.records(Disposition::quarantined) == 6);
}

TEST_CASE("a killed process loses nothing that was committed", "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 100, 10), usage_event("b", 1, 1)});
  bench.reopen();
  CHECK(bench.sum(Meter::input_uncached) == 101);
  bench.commit({usage_event("a", 100, 10), usage_event("c", 1, 1)});
  bench.flush();
  CHECK(bench.requests() == 3);
  CHECK(bench.records(Disposition::duplicate) == 1);
  CHECK(bench.ledger->position("kafka:test/usage", 0)->next_offset == 4);
}

TEST_CASE("a power cut rewinds events, positions and identities to one prefix", "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 100, 10)});
  bench.flush();
  bench.commit({usage_event("b", 1, 1)});
  bench.reopen(true);
  CHECK(bench.requests() == 1);
  CHECK(bench.ledger->position("kafka:test/usage", 0)->next_offset == 1);
  bench.next_offset = 1;
  bench.commit({usage_event("b", 1, 1)});
  bench.flush();
  CHECK(bench.requests() == 2);
  CHECK(bench.records(Disposition::duplicate) == 0);
}

TEST_CASE("nothing is shown before it is durable", "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 100, 10)});
  CHECK(bench.usage().rows.empty());
  CHECK(bench.usage().as_of_sequence == 0);
  bench.flush();
  CHECK(bench.usage().as_of_sequence == 1);
  CHECK(bench.requests() == 1);
}

TEST_CASE("context tiers are told apart strictly above each boundary", "[ledger]") {
  Bench bench;
  auto at_boundary = usage_event("a", 100'000, 1);
  at_boundary.set(Meter::cache_read, 100'000);
  auto above = usage_event("b", 100'000, 1);
  above.set(Meter::cache_read, 100'001);
  bench.commit({at_boundary, above});
  bench.flush();
  const auto table = bench.usage(mask_of(Dimension::context_tier));
  REQUIRE(table.rows.size() == 2);
  CHECK(table.keys[table.rows[0].key].context_tier == 1);  // above 128k, not above 200k
  CHECK(table.keys[table.rows[1].key].context_tier == 2);
}

TEST_CASE("block time never goes back", "[ledger]") {
  Bench bench;
  bench.commit({usage_event("a", 1, 1)});
  bench.clock.set(at("2026-01-01T00:00:00Z"));
  bench.commit({usage_event("b", 1, 1)});
  bench.flush();
  CHECK(bench.requests() == 2);
  CHECK(bench.ledger->status().head.block_time == at("2027-01-16T00:00:00Z"));
}
