// Why: verify must be able to say no. How: real directories, damaged one thing at a time.
#include "ledger/verify.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "ledger/anchor.h"
#include "ledger/bytes.h"
#include "ledger/reader.h"
#include "ledger/rocks_store.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

// A small ledger on disk, closed.
class Directory {
 public:
  Directory() {
    path_ = std::filesystem::temp_directory_path() /
            ("gauger-verify-" + std::to_string(std::random_device{}()));
    const auto ledger = open().value();
    for (int64_t round = 0; round < 3; ++round) {
      auto& batch = ledger->batch();
      batch.begin_segment({"default", "kafka:c/usage", 0, false}, round * 2);
      for (int64_t i = 0; i < 2; ++i) {
        const auto id = "id-" + std::to_string(round * 2 + i);
        batch.add(usage_event(id, 10, 1), round * 2 + i, id);
      }
      batch.end_segment(round * 2 + 2, 0, 0);
      REQUIRE(ledger->commit().has_value());
    }
    REQUIRE(ledger->close().has_value());
  }
  ~Directory() { std::filesystem::remove_all(path_); }

  Result<std::unique_ptr<Ledger>> open() const { return Ledger::open(path_, {}, clock_); }
  void change(const WriteSet& writes) const {
    const auto store = RocksStore::open(path_ / "store", {}).value();
    REQUIRE(store->write(writes).has_value());
    REQUIRE(store->sync().has_value());
  }
  VerifyReport verified() const {
    return verify(path_, [](uint64_t, uint64_t) {}).value();
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  FixedClock clock_{at("2027-01-16T00:00:00Z")};
};

std::string first_key(const Directory& directory, Family family, std::string_view from) {
  std::string found;
  const auto store = RocksStore::open_reader(directory.path() / "store").value();
  CHECK(store
            ->scan(family, from, {},
                   [&](std::string_view key, std::string_view) -> Result<bool> {
                     found = std::string(key);
                     return false;
                   })
            .has_value());
  return found;
}

}  // namespace

TEST_CASE("a sound ledger verifies and answers a reader", "[ledger]") {
  const Directory directory;
  const auto report = directory.verified();
  CHECK(report.findings.empty());
  CHECK(report.blocks == 3);
  CHECK(report.rollups_through == 3);
  CHECK(report.partitions == 1);
  const auto reader = Reader::open(directory.path()).value();
  const auto table =
      reader->usage({{at("2027-01-01"), at("2027-02-01")}, 0, Bucket::none, {}}).value();
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0].requests == 6);
}

TEST_CASE("rollups that are not the fold of the journal are found", "[ledger]") {
  const Directory directory;
  WriteSet writes;
  writes.remove(Family::rollups, first_key(directory, Family::rollups, "F"));
  directory.change(writes);
  const auto report = directory.verified();
  REQUIRE_FALSE(report.findings.empty());
  CHECK(report.findings[0].find("2027-01-15") != std::string::npos);
}

TEST_CASE("a position that the journal does not know is found", "[ledger]") {
  const Directory directory;
  Position position;
  position.source = "kafka:c/usage";
  position.next_offset = 5;
  position.sequence = 3;
  WriteSet writes;
  writes.put(Family::positions, position_key(position.source, 0), encode(position));
  directory.change(writes);
  CHECK_FALSE(directory.verified().findings.empty());
}

TEST_CASE("a ledger whose journal ends below its anchor is refused", "[ledger]") {
  const Directory directory;
  auto head = Anchor::read(directory.path() / "anchor").value().value();
  ++head.sequence;
  REQUIRE(Anchor::open(directory.path() / "anchor").value().write(head).has_value());
  const auto opened = directory.open();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::corruption);
  CHECK_FALSE(Reader::open(directory.path()).has_value());
}

TEST_CASE("a ledger whose anchor is gone or damaged is refused", "[ledger]") {
  const Directory directory;
  std::ofstream(directory.path() / "anchor", std::ios::binary) << std::string(1024, 'x');
  CHECK(directory.open().error().code == ErrorCode::corruption);
  std::filesystem::remove(directory.path() / "anchor");
  CHECK(directory.open().error().code == ErrorCode::corruption);
}

TEST_CASE("a second writer is told who holds the ledger", "[ledger]") {
  const Directory directory;
  const auto first = directory.open().value();
  const auto second = directory.open();
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::unavailable);
  CHECK(second.error().sentence.find("process " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("a ledger opened with another grain is refused and keeps its own", "[ledger]") {
  const Directory directory;
  LedgerOptions options;
  options.config = LedgerConfig{};
  options.config->grain = std::chrono::minutes{60};
  const FixedClock clock{at("2027-01-16T00:00:00Z")};
  CHECK(Ledger::open(directory.path(), options, clock).error().code == ErrorCode::refused);
  CHECK(directory.open().has_value());
}
