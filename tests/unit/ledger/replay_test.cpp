// Why: verify, rebuild and restore rest on one claim, that the journal says everything that is
// stored beside it. How: random histories of all kinds of events, reservations and documents; what
// the ledger stored must be what its blocks replay to, and any change of it must be named.
#include "ledger/replay.h"

#include <random>

#include "ledger/recover.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

std::vector<ReplayDifference> differences(const MemoryStore& store) {
  State state;
  state.config = read_config(store).value().value();
  REQUIRE(load_state(store, read_head(store).value(), state).has_value());
  AcceptedIdentities identities(state.config, store);
  MemoryStore replayed;
  Replay replay(state.config, state.dictionary, identities, replayed);
  REQUIRE(scan_journal(store, {0, 0}, UINT64_MAX, Columns::all,
                       [&](const Block& block, std::string_view bytes) -> Result<void> {
                         TRY(replay.add(block, bytes));
                         identities.add(block);
                         return success();
                       })
              .has_value());
  CHECK(replay.head() == state.head);
  return compare_replay(store, replayed, state.config.grain, state.head.block_time, 100).value();
}

class RandomHistory : public Bench {
 public:
  explicit RandomHistory(unsigned seed) : chance(seed) {
    clock.set(at("2027-01-15T12:00:00Z"));
    define();
  }

  void define() {
    Quota quota;
    quota.id = "q";
    quota.limit = 1'000'000;
    quota.window.kind = QuotaWindow::Kind::day;
    REQUIRE(ledger->define_quotas({quota}, {}).has_value());
  }

  void step() {
    clock.set(clock.now() + std::chrono::seconds{number(3000)});
    switch (number(12)) {
      case 0: document(); break;
      case 1: flush(); break;
      case 2: reserve(); break;
      case 3:
        if (number(2) == 0)
          static_cast<void>(ledger->settle("default", reservation(), {1, {}, {}}));
        else
          static_cast<void>(ledger->cancel("default", reservation()));
        break;
      case 4: REQUIRE(ledger->expire_reservations().has_value()); break;
      case 5:
        REQUIRE(ledger->flush().has_value());
        reopen();
        define();
        break;
      default: events();
    }
  }

  std::mt19937 chance;

 private:
  int number(int below) { return static_cast<int>(chance() % static_cast<unsigned>(below)); }
  std::string identity() { return "e" + std::to_string(number(12)); }
  std::string reservation() { return "r" + std::to_string(number(6)); }

  void document() {
    DocumentDraft draft;
    draft.key.kind = "price_book";
    draft.key.id = identity();
    draft.content = "{}";
    REQUIRE(ledger->append_documents({draft}).has_value());
  }
  void reserve() {
    QuotaRequest request;
    request.attributes = {{Dimension::team, "search"}};
    request.amounts.requests = 1;
    request.amounts.counts[0] = number(50);
    static_cast<void>(ledger->reserve(request, reservation(),
                                      clock.now() + std::chrono::minutes{1 + number(90)}));
  }
  void events() {
    std::vector<std::array<std::string, 3>> texts;
    std::vector<UsageEvent> batch;
    const auto count = 1 + number(6);
    texts.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) {
      texts.push_back({identity(), identity(), reservation()});
      const auto& [id, target, held] = texts.back();
      switch (number(6)) {
        case 0: batch.push_back(retraction(id, target)); break;
        case 1:
          batch.push_back(
              outcome_event(id, target, number(2) == 0 ? Outcome::accepted : Outcome::escalated));
          break;
        case 2:
          batch.push_back(usage_event(id, number(3), 1));
          batch.back().retracts = {"", target, "reported at last"};
          break;
        default:
          batch.push_back(usage_event(id, number(3), 1));
          batch.back().completed_at = batch.back().started_at = clock.now();
          if (number(2) == 0) batch.back().reservation_id = held;
      }
    }
    commit(batch);
  }
};

}  // namespace

TEST_CASE("what is stored beside the journal is what its blocks replay to", "[ledger]") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    RandomHistory history(seed);
    for (int i = 0; i < 60; ++i) history.step();
    history.flush();
    INFO("seed " << seed);
    for (const auto& difference : differences(history.store)) FAIL_CHECK(difference.sentence);
  }
}

TEST_CASE("whatever is changed beside the journal is named", "[ledger]") {
  RandomHistory history(7);
  for (int i = 0; i < 80; ++i) history.step();
  history.flush();
  size_t tried = 0;
  for (const auto family :
       {Family::positions, Family::documents, Family::amendments, Family::reservations}) {
    std::vector<std::pair<std::string, std::string>> entries;
    REQUIRE(history.store
                .scan(family, {}, {},
                      [&](std::string_view key, std::string_view value) -> Result<bool> {
                        entries.emplace_back(key, value);
                        return true;
                      })
                .has_value());
    REQUIRE_FALSE(entries.empty());
    for (const auto& [key, value] : entries) {
      auto damaged = history.store;
      WriteSet removal;
      removal.remove(family, key);
      REQUIRE(damaged.write(removal).has_value());
      const auto found = differences(damaged);
      // An outcome that said again what was known is the one record that may be missing.
      if (found.empty() && family == Family::amendments) continue;
      REQUIRE(found.size() == 1);
      CHECK(found[0].key == key);
      CHECK(found[0].replayed == value);
      ++tried;
    }
  }
  CHECK(tried > 20);
}
