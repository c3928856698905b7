// Why: who is refused a damaged ledger must be able to look into it, or to put the sound log back.
// How: one bit in turn of the write-ahead log of a killed ledger is turned over, and the ledger is
// opened for writing.
#include "tests/faults/fault_bench.h"

using namespace gauger;
using namespace gauger::testing;

TEST_CASE("a ledger that is refused for a damaged log is left as it was", "[faults]") {
  // With tables that are newer than a cut log, and with nothing but the log.
  const auto hot_identities = GENERATE(uint64_t{8}, uint64_t{1'000'000});
  SimulatedDisk killed;
  int64_t read = 0;
  {
    FaultBench bench(killed, true);
    bench.options().hot_identities_max = hot_identities;
    require(bench.open());
    require(bench.run(40));
    read = bench.next_offset();
    killed.halt();
    bench.drop();
  }
  const auto image = killed.image();
  size_t refused = 0;
  for (const auto& [path, content] : image) {
    if (file_kind_of(path) != FileKind::log) continue;
    for (uint64_t byte = 0; byte < content.size(); byte += 1 + content.size() / 20) {
      INFO(path << " byte " << byte << " of " << content.size());
      SimulatedDisk disk(image);
      disk.flip(path, byte, byte % 8);
      const auto found = files_of_ledger(disk.image());
      FaultBench bench(disk, true);
      const auto opened = bench.open();
      REQUIRE(!opened);
      CHECK(opened.error().code == ErrorCode::corruption);
      INFO(opened.error().sentence);
      CHECK(opened.error().sentence.find("estore a backup") != std::string::npos);
      CHECK((files_of_ledger(disk.image()) == found));
      ++refused;
      // With the bit turned back nothing was lost.
      disk.flip(path, byte, byte % 8);
      require(bench.open());
      CHECK(bench.next_offset() == read);
      CHECK(bench.tokens() == FaultBench::expected(read));
    }
  }
  CHECK(refused >= 10);
}

TEST_CASE("a log that breaks off behind what was acknowledged is gone on with", "[faults]") {
  SimulatedDisk disk;
  FaultBench bench(disk, true);
  require(bench.open());
  require(bench.run(40));
  const auto image = disk.image();
  // Written, and not synced: nobody was told.
  require(bench.run_unacknowledged());
  auto torn = disk.image();
  disk.halt();
  bench.drop();
  for (auto& [path, content] : torn) {
    const auto durable = image.find(path);
    if (file_kind_of(path) != FileKind::log || durable == image.end()) continue;
    if (content.size() <= durable->second.size()) continue;
    const auto whole = content;
    for (auto size = durable->second.size() + 1; size < whole.size(); size += 97) {
      content = whole.substr(0, size);
      SimulatedDisk broken(torn);
      FaultBench again(broken, true);
      require(again.open());
      CHECK(again.tokens() == FaultBench::expected(again.next_offset()));
      CHECK(again.next_offset() >= bench.acknowledged);
    }
    content = whole;
  }
}

TEST_CASE("a reader shows every partition where it durably stands", "[faults]") {
  SimulatedDisk disk;
  FaultBench bench(disk, true);
  require(bench.open());
  require(bench.run(40));
  const auto before = bench.reader().value()->positions();
  REQUIRE(before.size() == 1);
  // A log that nobody was told of yet, and one that was read on.
  require(bench.run_unacknowledged());
  auto& batch = bench.ledger().batch();
  batch.begin_segment({"default", "kafka:test/new", 3, false}, 7);
  batch.add(ledger::testing::usage_event("new", 1, 1), 7, "new");
  batch.end_segment(8, 0, 0);
  batch.mark_complete({"default", std::string(FaultBench::source), 0, false}, bench.next_offset(),
                      ledger::testing::at("2027-01-15T23:00:00Z"));
  require(bench.ledger().commit());
  const auto positions = bench.reader().value()->positions();
  REQUIRE(positions.size() == 1);
  const auto& [is, was] = std::pair(positions[0], before[0]);
  CHECK(is.next_offset == was.next_offset);
  CHECK(is.records == was.records);
  CHECK(is.gaps == was.gaps);
  CHECK(is.sequence == was.sequence);
  CHECK(is.last_record_offset == was.last_record_offset);
  CHECK(is.last_record_hash == was.last_record_hash);
  CHECK(is.complete_at == was.complete_at);
  require(bench.ledger().flush());
  CHECK(bench.reader().value()->positions().size() == 2);
}
