// Why: P11. A disk that fills up must stop the intake before it stops the ledger. How: a disk with
// a capacity, an intake that runs into the free-space mark, and room that comes back.
#include <thread>

#include "ingest/formats.h"
#include "ingest/intake.h"
#include "tests/faults/fault_bench.h"

using namespace gauger;
using namespace gauger::testing;

namespace {

// One event per record, for ever, some ten thousand a second.
class EndlessSource final : public ingest::Source {
 public:
  const std::vector<ingest::PartitionName>& partitions() const override { return partitions_; }
  Result<void> poll(ingest::RecordBatch& batch, size_t, size_t,
                    std::chrono::milliseconds) override {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    for (int i = 0; i < 20; ++i, ++next) {
      const auto bytes = std::make_shared<const std::string>(
          R"({"source": "gateway", "id": "id-)" + std::to_string(next) +
          R"(", "completed_at": "2027-01-15T12:00:00Z", "team": "search", "provider": "p",)" +
          R"( "model": "m", "input_uncached": 1})");
      batch.records.push_back({*bytes, next, 0});
      batch.owners.push_back(bytes);
    }
    return success();
  }
  int64_t next = 0;

 private:
  std::vector<ingest::PartitionName> partitions_ = {{"kafka:test/usage", 0}};
};

}  // namespace

TEST_CASE("intake pauses before the disk is full and reads go on and it resumes", "[faults]") {
  SimulatedDisk disk;
  FaultBench bench(disk, false);
  constexpr uint64_t mark = 8U << 20;
  bench.options().free_bytes_min = mark;
  require(bench.open());
  disk.set_capacity(disk.used_bytes() + mark + (1U << 18));
  EndlessSource source;
  ingest::IntakeOptions options;
  options.decoder = ingest::make_decoder("json", {}).value();
  bool paused = false;
  bool resumed = false;
  const auto done = ingest::run_intake(
      bench.ledger(), source, std::move(options), [&](const ingest::IntakeProgress& progress) {
        if (progress.paused && !paused) {
          paused = true;
          // The ledger still has room to sync, to be asked, and for what is posted.
          require(bench.ledger().flush());
          CHECK(bench.reader().value()->usage(FaultBench::everything()).has_value());
          CHECK(FaultBench::tokens(bench.ledger().usage(FaultBench::everything()).value()) ==
                source.next);
          disk.set_capacity(UINT64_MAX);
          return true;
        }
        resumed = paused && !progress.paused;
        return !resumed;
      });
  if (!done) FAIL(done.error().sentence);
  CHECK(paused);
  CHECK(resumed);
  require(bench.ledger().flush());
  CHECK(bench.tokens() == source.next);
}

TEST_CASE("a disk that is full to the last byte ends the ledger and room starts it again",
          "[faults]") {
  SimulatedDisk disk(7);
  FaultBench bench(disk, true);
  require(bench.open());
  require(bench.run(40));
  disk.set_capacity(disk.used_bytes() + 3'000);
  const auto full = bench.run(400);
  REQUIRE(!full);
  CHECK(full.error().code == ErrorCode::io);
  CHECK(full.error().sentence.find("No space left") != std::string::npos);
  bench.check_stopped();
  // A reader needs no room.
  {
    const auto reader = bench.reader();
    if (!reader) FAIL(reader.error().sentence);
    const auto tokens = FaultBench::tokens(reader.value()->usage(FaultBench::everything()).value());
    CHECK(tokens >= FaultBench::expected(bench.acknowledged));
    // A position that runs ahead of what is durable is not shown.
    for (const auto& position : reader.value()->positions())
      CHECK(tokens == FaultBench::expected(position.next_offset));
  }
  bench.drop();
  disk.start();
  // Without room the start may fail, but must spoil nothing.
  static_cast<void>(bench.open());
  bench.drop();
  disk.set_capacity(UINT64_MAX);
  require(bench.open());
  CHECK(bench.next_offset() >= bench.acknowledged);
  CHECK(bench.tokens() == FaultBench::expected(bench.next_offset()));
  require(bench.run(400));
  require(bench.close());
  bench.drop();
  CHECK(bench.verify().value().findings.empty());
}
