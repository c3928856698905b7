#include "tools/load/company/expected.h"

#include <algorithm>
#include <unordered_set>

namespace gauger::load::company {
namespace {

int64_t boundary_below(const Counts& counts) {
  int64_t input = 0;
  for (size_t i = 0; i < input_meter_count; ++i) input += counts[i];
  int64_t below = 0;
  for (const auto boundary : context_boundaries)
    if (input > boundary) below = boundary;
  return below;
}

void add_to_program(ProgramSummary& program, const PlannedEvent& event) {
  switch (event.plan().purpose) {
    case Purpose::shadow: ++program.shadow; return;
    case Purpose::distillation: ++program.distillation; return;
    case Purpose::production: break;
  }
  switch (event.role) {
    case Role::root: ++program.roots; break;
    case Role::retry: ++program.retries; return;
    case Role::fallback: ++program.fallbacks; return;
  }
  switch (event.final_outcome) {
    case Outcome::accepted: ++program.accepted; break;
    case Outcome::escalated: ++program.escalated; break;
    case Outcome::failed: ++program.failed; break;
    case Outcome::absent: break;
  }
}

void add_usage(Expected& expected, const PlannedEvent& event) {
  const std::string team(event.plan().team.empty() ? "unattributed" : event.plan().team);
  auto& usage = expected.usage;
  usage.total.add(event.counts);
  usage.by_team_model[{team, std::string(event.call().model)}].add(event.counts);
  usage.by_day[utc_day(event.completed_at)].add(event.counts);
  expected.by_team[team].add(event.counts);
  expected.by_context_above[boundary_below(event.counts)].add(event.counts);
  expected.by_usage_source[std::string(to_string(event.usage_source))].add(event.counts);
  if (!event.plan().program.empty())
    add_to_program(expected.programs[std::string(event.plan().program)], event);
}

void add_accepted(Expected& expected, const PlannedEvent& event) {
  switch (event.kind) {
    case Kind::outcome: ++expected.outcomes; return;
    case Kind::retraction: ++expected.retractions; return;
    case Kind::usage: break;
  }
  ++expected.usage_events;
  if (event.target != no_serial) ++expected.replacements;
  if (event.taken_back)
    ++expected.taken_back;
  else
    add_usage(expected, event);
}

}  // namespace

Expected expect(const std::vector<PlannedEvent>& events, const std::vector<BadRecord>& bad,
                int64_t resent) {
  Expected expected;
  expected.records = static_cast<int64_t>(events.size() + bad.size()) + resent;
  expected.duplicates = resent;
  std::unordered_set<uint64_t> usage_serials;
  for (const auto& event : events) {
    switch (event.fate) {
      case Fate::accepted: add_accepted(expected, event); break;
      case Fate::duplicate: ++expected.duplicates; break;
      case Fate::restamped: ++expected.restamped; break;
      case Fate::conflict: ++expected.conflicts; break;
    }
    if (event.kind == Kind::usage) usage_serials.insert(event.serial);
  }
  for (const auto& event : events)
    if (event.kind == Kind::retraction && event.fate == Fate::accepted)
      expected.retractions_waiting += !usage_serials.contains(event.target);
  for (const auto& record : bad) ++expected.quarantined[std::string(to_string(record.reason))];
  return expected;
}

}  // namespace gauger::load::company
