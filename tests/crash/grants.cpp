// A writer that grants reservations until it is killed, for tests/crash: says "granted ID TOKENS"
// on stdout once a grant may be told, and nothing sooner. With `check`, reads those lines back on
// stdin and holds the ledger to them: each is still held or was ended by a step of the journal,
// and what is used and held stays below the limit.
#include <cstdio>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "ledger/ledger.h"
#include "ledger/projections.h"
#include "schemas/clock.h"

using namespace gauger;
using namespace gauger::ledger;

namespace {

constexpr int64_t limit = 1'000'000;

int failed(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  return 1;
}

Result<std::unique_ptr<Ledger>> open(const char* directory, const Clock& clock) {
  TRY(auto ledger, Ledger::open(directory, {}, clock));
  Quota quota;
  quota.id = "q";
  quota.limit = limit;
  quota.window.kind = QuotaWindow::Kind::day;
  TRY(ledger->define_quotas({quota}, {}));
  return ledger;
}

Result<void> use(Ledger& ledger, const std::string& id, int64_t tokens, Instant now) {
  UsageEvent event;
  const auto name = "event-" + id;
  event.source = "gateway";
  event.id = name;
  event.started_at = event.completed_at = now;
  event.team = "search";
  event.provider = "acme";
  event.model = "x1";
  event.set(Meter::input_uncached, tokens);
  event.reservation_id = id;
  auto& batch = ledger.batch();
  batch.begin_segment({"default", "file:crash", 0, false}, 0);
  batch.add(event, 0, name);
  batch.end_segment(1, 0, 0);
  return ledger.commit();
}

Result<void> grant(Ledger& ledger, const Clock& clock, unsigned seed) {
  std::mt19937 chance(seed);
  for (uint64_t number = 0;; ++number) {
    const auto id = std::to_string(seed) + "-" + std::to_string(number);
    const auto tokens = static_cast<int64_t>(1 + chance() % 2'000);
    QuotaRequest request;
    request.attributes = {{Dimension::team, "search"}};
    request.amounts.requests = 1;
    request.amounts.counts[static_cast<size_t>(Meter::input_uncached)] = tokens;
    TRY(const auto decision, ledger.reserve(request, id, clock.now() + std::chrono::minutes{10}));
    TRY(ledger.flush());
    if (!decision.allowed) return success();
    std::printf("granted %s %lld\n", id.c_str(), static_cast<long long>(tokens));
    std::fflush(stdout);
    if (chance() % 3 == 0) {
      TRY(use(ledger, id, tokens / 2, clock.now()));
    } else if (chance() % 5 == 0) {
      TRY(ledger.cancel("default", id));
    }
  }
}

// The last step of each reservation that the journal knows.
Result<std::map<std::string, ReservationStep>> steps_of(const Ledger& ledger) {
  std::map<std::string, ReservationStep> steps;
  TRY(scan_journal(ledger.store(), {0, 0}, UINT64_MAX, Columns::fold,
                   [&](const Block& block, std::string_view) -> Result<void> {
                     for (const auto& record : block.reservations)
                       steps[record.reservation.id] = record.step;
                     return success();
                   }));
  return steps;
}

int check(Ledger& ledger, const Clock& clock) {
  const auto steps = steps_of(ledger);
  if (!steps) return failed(steps.error().sentence);
  std::string word;
  std::string id;
  std::string tokens;
  size_t told = 0;
  while (std::cin >> word >> id >> tokens) {
    ++told;
    if (!steps.value().contains(id)) return failed("the grant " + id + " was told, and is lost");
  }
  for (const auto& answer : ledger.quotas().list("default", clock.now())) {
    if (answer.used + answer.held > limit) return failed("used and held pass the limit");
    std::printf("%zu grants told, %zu known, used %s, held %s\n", told, steps.value().size(),
                to_string(answer.used).c_str(), to_string(answer.held).c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return failed("usage: grants DIRECTORY check|SEED");
  const SystemClock clock;
  const auto ledger = open(argv[1], clock);
  if (!ledger) return failed(ledger.error().sentence);
  if (std::string(argv[2]) == "check") return check(*ledger.value(), clock);
  const auto done = grant(*ledger.value(), clock, static_cast<unsigned>(std::atoi(argv[2])));
  return done ? 0 : failed(done.error().sentence);
}
