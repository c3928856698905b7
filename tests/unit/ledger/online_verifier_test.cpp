// Why: a live ledger is watched without being stopped. How: a ledger over memory, sound and
// damaged.
#include "ledger/online_verifier.h"

#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

class Watched : public Bench {
 public:
  OnlineVerifier verifier{store, ledger->config(), [this] { return durable(); }, pace()};

  Head durable() const {
    const auto bytes = store.get(Family::meta, head_key).value();
    return bytes ? decode_head(*bytes).value() : Head{};
  }
  // Packs what there is, as the end of a process does.
  void pack() {
    flush();
    REQUIRE(ledger->close().has_value());
    reopen();
  }
  void remove_first(Family family, std::string_view from) {
    WriteSet writes;
    REQUIRE(store
                .scan(family, from, {},
                      [&](std::string_view key, std::string_view) -> Result<bool> {
                        writes.remove(family, std::string(key));
                        return false;
                      })
                .has_value());
    REQUIRE(writes.writes.size() == 1);
    REQUIRE(store.write(writes).has_value());
  }

 private:
  static OnlineVerifier::Config pace() {
    OnlineVerifier::Config pace;
    pace.pause = std::chrono::milliseconds{1};
    return pace;
  }
};

}  // namespace

TEST_CASE("a live ledger is verified pass by pass while it grows", "[ledger]") {
  Watched watched;
  watched.verifier.run_pass();
  CHECK(watched.verifier.state().verified_through == 0);
  for (int round = 1; round <= 3; ++round) {
    const auto id = std::to_string(round);
    watched.commit({usage_event("a" + id, 10, 1), retraction("r" + id, "a" + id)});
    watched.commit({usage_event("b" + id, 5, 1)});
    if (round == 2) watched.pack();
    watched.flush();
    watched.verifier.run_pass();
    CHECK(watched.verifier.state().verified_through == uint64_t(2 * round));
  }
  CHECK(watched.verifier.state().passes == 4);
  CHECK(watched.verifier.state().mismatches == 0);
}

TEST_CASE("rollups and blocks that went wrong are counted as mismatches", "[ledger]") {
  Watched watched;
  watched.commit({usage_event("a", 10, 1)});
  watched.commit({usage_event("b", 10, 1)});
  watched.pack();
  watched.remove_first(Family::rollups, "F");
  watched.verifier.run_pass();
  CHECK(watched.verifier.state().mismatches == 1);
  CHECK(watched.verifier.state().last_finding.find("2027-01-15") != std::string::npos);
  watched.remove_first(Family::identities, "");
  watched.verifier.run_pass();
  CHECK(watched.verifier.state().mismatches == 2);
  watched.remove_first(Family::journal, "");
  watched.verifier.run_pass();
  CHECK(watched.verifier.state().mismatches > 2);
}

TEST_CASE("the verifier's thread ends when it is asked to", "[ledger]") {
  Watched watched;
  watched.commit({usage_event("a", 10, 1)});
  watched.flush();
  std::atomic<uint64_t> passes{0};
  watched.verifier.start([&](const OnlineVerifier::State& state) { passes = state.passes; });
  while (passes < 3) std::this_thread::yield();
  watched.verifier.stop();
  CHECK(watched.verifier.state().verified_through == 1);
  CHECK(watched.verifier.state().mismatches == 0);
}
