// Why: P1 to P4 for any history. How: random batches of usage, conflicts, retractions and
// outcomes over few identities, with syncs, kills and power cuts between them, against a model
// of twenty lines; after every step the ledger's sums are the model's.
#include <rapidcheck.h>

#include <map>

#include "tests/unit/ledger/events.h"
#include "tests/usage_model.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

using gauger::testing::UsageModel;
using Operation = gauger::testing::ModelEvent;
using Sums = std::map<std::pair<std::string, std::string>, std::pair<int64_t, int64_t>>;

std::string team_of(const std::string& id) { return "team-" + id.substr(1, 1); }

Sums sums_of(const UsageModel& model) {
  Sums sums;
  for (const auto& [id, usage] : model.usage()) {
    if (usage.retracted) continue;
    auto& [requests, input] = sums[{team_of(id), std::string(to_string(usage.outcome))}];
    ++requests;
    input += usage.input;
  }
  return sums;
}

UsageEvent event_of(const Operation& operation, const std::string& team) {
  switch (operation.kind) {
    case EventKind::usage: return usage_event(operation.id, operation.content, 1, team);
    case EventKind::retraction: return retraction(operation.id, operation.target);
    case EventKind::outcome:
      return outcome_event(operation.id, operation.target, static_cast<Outcome>(operation.content));
  }
  return {};
}

Sums sums_of(const Bench& bench) {
  Sums sums;
  const auto table = bench.usage(mask_of(Dimension::team) | mask_of(Dimension::outcome));
  for (const auto& row : table.rows)
    sums[{std::string(table.text(table.key(row).team)),
          std::string(to_string(table.key(row).outcome))}] = {row.requests, row.counts[0]};
  return sums;
}

Operation random_operation() {
  const auto kind = *rc::gen::weightedElement<EventKind>(
      {{6, EventKind::usage}, {2, EventKind::retraction}, {2, EventKind::outcome}});
  const auto usage = "u" + std::to_string(*rc::gen::inRange(0, 30));
  if (kind == EventKind::usage) return {kind, usage, "", *rc::gen::inRange<int64_t>(1, 3), 0, ""};
  const auto id = "a" + std::to_string(*rc::gen::inRange(0, 20));
  const bool bad_target = *rc::gen::inRange(0, 10) == 0;
  auto target = bad_target ? "a" + std::to_string(*rc::gen::inRange(20, 22)) : usage;
  return {kind, id, std::move(target), *rc::gen::inRange<int64_t>(1, 4), 0, ""};
}

void run_history() {
  // Few hot identities, so that histories cross from hot to frozen to cold and merged ones.
  Bench bench(*rc::gen::element<uint64_t>(0, 2, 5, 6'000'000));
  UsageModel model;
  UsageModel durable = model;
  for (int step = *rc::gen::inRange(1, 25); step > 0; --step) {
    const auto choice = *rc::gen::inRange(0, 10);
    if (choice < 6) {
      std::vector<Operation> operations;
      for (int i = *rc::gen::inRange(1, 12); i > 0; --i) operations.push_back(random_operation());
      std::vector<std::string> teams;
      for (const auto& operation : operations) teams.push_back(team_of(operation.id));
      std::vector<UsageEvent> events;
      for (size_t i = 0; i < operations.size(); ++i)
        events.push_back(event_of(operations[i], teams[i]));
      bench.commit(events);
      for (const auto& operation : operations)
        RC_LOG() << "commit " << static_cast<int>(operation.kind) << ' ' << operation.id << " -> "
                 << operation.target << ' ' << operation.content << '\n';
      for (const auto& operation : operations) model.apply(operation);
    } else if (choice < 8) {
      RC_LOG() << "flush\n";
      bench.flush();
      durable = model;
      RC_ASSERT(sums_of(bench) == sums_of(model));
    } else if (choice < 9) {
      RC_LOG() << "kill\n";
      bench.reopen();
      durable = model;
      RC_ASSERT(sums_of(bench) == sums_of(model));
    } else {
      RC_LOG() << "power cut\n";
      bench.reopen(true);
      model = durable;
      RC_ASSERT(sums_of(bench) == sums_of(model));
    }
  }
  bench.flush();
  RC_ASSERT(sums_of(bench) == sums_of(model));
  bench.reopen();
  RC_ASSERT(sums_of(bench) == sums_of(model));
}

}  // namespace

TEST_CASE("any history of events, kills and power cuts gives the sums of a plain model",
          "[ledger]") {
  CHECK(rc::check(run_history));
}
