// Why: RocksDB ends the process, without a word, when its log is touched after a failure. How: many
// stores, each with a thread that writes while another syncs, until the disk fails one of them. An
// assertion of RocksDB would end this program.
#include <atomic>
#include <thread>

#include "ledger/log_gate.h"
#include "ledger/rocks_store.h"
#include "tests/catch.h"
#include "tests/simulated_disk.h"

using namespace gauger;
using namespace gauger::ledger;

namespace {

WriteSet some_bytes() {
  WriteSet set;
  set.put(Family::journal, "key", std::string(5000, 'x'));
  return set;
}

void break_log(DiskOperation operation, uint64_t seed) {
  SimulatedDisk disk(seed);
  auto opened = RocksStore::open("/srv/store", {}, disk.disk());
  REQUIRE(opened);
  auto& store = *opened.value();
  disk.arm({operation, FileKind::log, seed % 7, DiskFailure::error});
  std::atomic<int> refused = 0;
  const auto until_it_fails = [&](auto&& use) {
    return std::jthread([&, use] {
      while (use()) {
      }
      // And for ever.
      refused += use() ? 0 : 1;
    });
  };
  {
    const auto writer = until_it_fails([&] { return store.write(some_bytes()).has_value(); });
    const auto unlogged =
        until_it_fails([&] { return store.write_unlogged(some_bytes()).has_value(); });
    const auto syncer = until_it_fails([&] { return store.sync().has_value(); });
    const auto other_syncer = until_it_fails([&] { return store.sync().has_value(); });
  }
  CHECK(refused == 4);
  CHECK(disk.has_fired());
}

}  // namespace

TEST_CASE("a log that failed is touched by nobody while others are on their way", "[faults]") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    break_log(DiskOperation::sync, seed);
    break_log(DiskOperation::write, seed);
  }
}

TEST_CASE("who fails waits for those of the other kind and lets nobody in", "[faults]") {
  LogGate gate(std::chrono::hours{1});  // a slow machine is no reason to go on
  std::atomic<bool> told = false;
  std::jthread failing;
  {
    const auto write = gate.enter(LogUse::write);
    REQUIRE(write);
    failing = std::jthread([&] {
      const auto sync = gate.enter(LogUse::sync);
      gate.fail(LogUse::sync);
      told = true;
    });
    while (gate.enter(LogUse::write)) std::this_thread::yield();
    CHECK(!told);
  }
  failing.join();
  CHECK(told);
  CHECK(!gate.enter(LogUse::sync));
}
