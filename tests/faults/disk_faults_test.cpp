// Why: P2 to P5 on a disk that fails. How: a small workload is counted without a fault; then it
// is run once for every operation on every kind of file, with that operation failing, and started
// anew, after a power cut too. Nothing that was acknowledged may be missing, nothing may be there
// twice, no manual step may be needed, and no call may succeed behind one that failed.
//
// GAUGER_FAULT_RUNS in the environment says how many operations of a kind are tried, evenly
// spread over all of them; 1000000 tries them all.
#include <cstdlib>

#include "tests/faults/fault_bench.h"

using namespace gauger;
using namespace gauger::testing;

namespace {

constexpr int64_t workload = 60;  // records

std::string name_of(const DiskFault& fault, bool power_cut) {
  return std::string(to_string(fault.failure)) + " at " + std::string(to_string(fault.operation)) +
         " " + std::to_string(fault.after) + " of " + std::string(to_string(fault.kind)) +
         (power_cut ? ", then a power cut" : "");
}

// Everything from the making of the ledger to its closing, twice: the second start finds files.
Result<void> live(FaultBench& bench) {
  for (const auto until : {workload / 2, workload}) {
    TRY(bench.open());
    TRY(bench.run(until));
    TRY(bench.close());
    bench.drop();
  }
  return success();
}

void check_whole(FaultBench& bench) {
  CHECK(bench.next_offset() >= bench.acknowledged);
  CHECK(bench.documents() >= bench.acknowledged_documents);
  REQUIRE(bench.tokens() == FaultBench::expected(bench.next_offset()));
}

struct Walked {
  uint64_t runs = 0;
  uint64_t failed = 0;  // runs that ended with an error
};

void run_with(const DiskFault& fault, bool power_cut, bool single_threaded, Walked& walked) {
  INFO(name_of(fault, power_cut));
  SimulatedDisk disk(fault.after * file_kind_count + static_cast<uint64_t>(fault.kind));
  FaultBench bench(disk, single_threaded);
  disk.arm(fault);
  const auto lived = live(bench);
  ++walked.runs;
  if (!lived) {
    ++walked.failed;
    CHECK(disk.has_fired());
    CHECK(lived.error().code == ErrorCode::io);
    CHECK(lived.error().sentence.find('/') != std::string::npos);
    if (fault.operation != DiskOperation::read) bench.check_stopped();
  }
  if (power_cut)
    disk.lose_power();
  else
    disk.halt();
  bench.drop();
  disk.start();
  require(bench.open());
  check_whole(bench);
  require(bench.run(2 * workload));
  check_whole(bench);
  require(bench.close());
  bench.drop();
  const auto report = bench.verify();
  REQUIRE(report.has_value());
  CHECK(report.value().findings.empty());
}

// Every operation of a kind in turn, or evenly spread ones where there are many.
Walked walk(DiskOperation operation, DiskFailure failure, bool single_threaded = true) {
  const auto* wanted = std::getenv("GAUGER_FAULT_RUNS");
  const auto runs_max = wanted == nullptr ? uint64_t{4} : std::stoull(wanted);
  Walked walked;
  SimulatedDisk sound;
  FaultBench bench(sound, single_threaded);
  require(live(bench));
  for (size_t i = 0; i < file_kind_count; ++i) {
    const auto kind = static_cast<FileKind>(i);
    if (kind == FileKind::any) continue;
    const auto count = sound.count(operation, kind);
    const auto stride = std::max<uint64_t>(1, count / runs_max);
    for (uint64_t after = 0; after < count; after += stride)
      for (const bool power_cut : {false, true})
        run_with({operation, kind, after, failure}, power_cut, single_threaded, walked);
  }
  CHECK(walked.runs > 0);
  std::printf("%s at %s: %llu runs, %llu ended with an error\n",
              std::string(to_string(failure)).c_str(), std::string(to_string(operation)).c_str(),
              static_cast<unsigned long long>(walked.runs),
              static_cast<unsigned long long>(walked.failed));
  return walked;
}

}  // namespace

TEST_CASE("a ledger on a sound simulated disk lives and verifies", "[faults]") {
  SimulatedDisk disk;
  FaultBench bench(disk, true);
  require(live(bench));
  CHECK(disk.count(DiskOperation::write, FileKind::blob) > 0);
  require(bench.open());
  CHECK(bench.tokens() == FaultBench::expected(workload));
  CHECK(bench.documents() == workload / (6 * FaultBench::records_per_commit));
  bench.drop();
  CHECK(bench.verify().value().findings.empty());
}

TEST_CASE("killed in the middle of any write the next start is exact", "[faults]") {
  CHECK(walk(DiskOperation::write, DiskFailure::halt).failed > 10);
}

TEST_CASE("killed in the middle of any sync the next start is exact", "[faults]") {
  CHECK(walk(DiskOperation::sync, DiskFailure::halt).failed > 10);
  CHECK(walk(DiskOperation::directory_sync, DiskFailure::halt).failed > 0);
}

TEST_CASE("killed while a directory changes the next start is exact", "[faults]") {
  CHECK(walk(DiskOperation::create, DiskFailure::halt).failed > 10);
  CHECK(walk(DiskOperation::rename, DiskFailure::halt).failed > 0);
  walk(DiskOperation::remove, DiskFailure::halt);
}

TEST_CASE("after a write that failed nothing goes on and the next start is exact", "[faults]") {
  CHECK(walk(DiskOperation::write, DiskFailure::error).failed > 10);
}

TEST_CASE("after a write on a full disk nothing goes on and the next start is exact", "[faults]") {
  CHECK(walk(DiskOperation::write, DiskFailure::full).failed > 10);
}

TEST_CASE("after a sync that failed nothing goes on and the next start is exact", "[faults]") {
  CHECK(walk(DiskOperation::sync, DiskFailure::error).failed > 10);
  CHECK(walk(DiskOperation::directory_sync, DiskFailure::error).failed > 0);
}

TEST_CASE("a file that cannot be made or renamed stops the ledger with a sentence", "[faults]") {
  walk(DiskOperation::create, DiskFailure::error);
  walk(DiskOperation::rename, DiskFailure::error);
}

TEST_CASE("a file that cannot be read stops the ledger with a sentence", "[faults]") {
  walk(DiskOperation::read, DiskFailure::error);
}

TEST_CASE("with threads a disk that fails stops the ledger and the next start is exact",
          "[faults]") {
  walk(DiskOperation::write, DiskFailure::error, false);
  walk(DiskOperation::sync, DiskFailure::error, false);
}

TEST_CASE("a disk that lied about a sync is told from a crash", "[faults]") {
  SimulatedDisk disk(3);
  FaultBench bench(disk, true);
  require(bench.open());
  require(bench.run(20));
  const auto durable = bench.acknowledged;
  disk.arm({DiskOperation::sync, FileKind::log, 0, DiskFailure::lie});
  require(bench.run(25));
  REQUIRE(disk.has_fired());
  CHECK(bench.acknowledged > durable);
  disk.lose_power();
  bench.drop();
  disk.start();
  for (int again = 0; again < 2; ++again) {
    const auto opened = bench.open();
    REQUIRE(!opened);
    CHECK(opened.error().code == ErrorCode::corruption);
    CHECK(opened.error().sentence.find("Acknowledged data is gone") != std::string::npos);
    const auto read = bench.reader();
    REQUIRE(!read);
    CHECK(read.error().code == ErrorCode::corruption);
  }
}
