// Why: what single events say must be what the rollups say, whatever was moved or taken back.
// How: every kind of amendment, and then both ways of adding up.
#include "ledger/event_walk.h"

#include "ledger/recover.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

struct Found {
  std::string id;
  std::string parent;
  Outcome outcome;
  int64_t input;
  bool operator==(const Found&) const = default;
};

UsageEvent request(std::string_view id, int64_t input, std::string_view completed,
                   std::string_view parent = "") {
  auto event = usage_event(id, input, 1);
  event.completed_at = at(completed);
  event.started_at = no_instant;
  event.program = "search";
  event.parent_id = parent;
  return event;
}

std::vector<Found> walk(const Bench& bench, Interval interval, bool identities) {
  std::vector<Found> found;
  EventQuery query;
  query.interval = interval;
  query.identities = identities;
  State state;
  const auto head = read_head(bench.store).value();
  REQUIRE(load_state(bench.store, head, state).has_value());
  const auto& dictionary = state.dictionary;
  query.wanted = [&](const UsageKey& key) {
    return dictionary.strings.text(key.program) == "search";
  };
  REQUIRE(
      walk_events(bench.store, dictionary, head, query, [&](const EventRow& event) -> Result<bool> {
        found.push_back({std::string(event.id), std::string(event.parent_id), event.key->outcome,
                         event.counts[static_cast<size_t>(Meter::input_uncached)]});
        return true;
      }).has_value());
  return found;
}

}  // namespace

TEST_CASE("events stand as they count now", "[ledger]") {
  Bench bench;
  const Interval day{at("2027-01-15"), at("2027-01-16")};
  bench.commit({request("a", 1, "2027-01-15T10:00:00Z"),
                request("b", 2, "2027-01-15T10:00:00Z", "a"),
                request("c", 4, "2027-01-15T10:00:00Z"), request("d", 8, "2027-01-14T10:00:00Z"),
                usage_event("other", 16, 1)});
  // An outcome before its event, a retraction after it, and a duplicate.
  bench.commit({outcome_event("o1", "late", Outcome::failed),
                outcome_event("o2", "a", Outcome::accepted), retraction("r", "c"),
                request("a", 1, "2027-01-15T10:00:00Z")});
  bench.commit(
      {request("late", 32, "2027-01-15T09:00:00Z"), outcome_event("o3", "a", Outcome::escalated)});
  bench.flush();
  CHECK(walk(bench, day, true) == std::vector<Found>{{"a", "", Outcome::escalated, 1},
                                                     {"b", "a", Outcome::absent, 2},
                                                     {"late", "", Outcome::failed, 32}});
  CHECK(walk(bench, day, false) == std::vector<Found>{{"", "", Outcome::escalated, 1},
                                                      {"", "", Outcome::absent, 2},
                                                      {"", "", Outcome::failed, 32}});
  int64_t input = 0;
  for (const auto& found : walk(bench, {at("2027-01-01"), at("2027-02-01")}, false))
    input += found.input;
  CHECK(input + 16 == bench.sum(Meter::input_uncached));
}
