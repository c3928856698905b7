// Why: P5. How: two small ledgers, one that was closed and one that was killed with everything in
// the write-ahead log; every bit in turn is turned over, and the ledger is verified, read, and
// opened and fed. Each of them may answer with an error or as the sound ledger does; any other
// answer fails the test. A flip that nobody notices lies where nothing is ever read from.
//
// GAUGER_FLIPS in the environment says how many flips are tried; 0 tries one of every byte.
// `./dev simulate --bit-flips` does that.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/faults/answers.h"
#include "tests/faults/fault_bench.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::testing;

namespace {

constexpr int64_t records = 40;
const std::string directory = "/srv/ledger";

struct Noticed {
  uint64_t flips = 0;
  uint64_t by_verify = 0;
  uint64_t by_reader = 0;
  uint64_t by_writer = 0;
  uint64_t nobody = 0;
};

UsageQuery by_grain() {
  auto query = FaultBench::everything();
  query.bucket = Bucket::grain;
  return query;
}

// What only the sums by month say lies apart from the cells.
UsageQuery by_month() {
  auto query = FaultBench::everything();
  query.bucket = Bucket::month;
  query.group = mask_of(Dimension::team) | mask_of(Dimension::model);
  return query;
}

Result<std::string> answers_of(const Reader& reader) {
  TRY(const auto fine, reader.usage(by_grain()));
  TRY(const auto coarse, reader.usage(by_month()));
  TRY(const auto documents, documents_text(reader.documents(), "note"));
  std::string quarantine;
  TRY(reader.quarantined([&](const QuarantinedRecord& record) {
    quarantine += record.id() + ' ' + record.raw + '\n';
    return true;
  }));
  return usage_text(fine) + usage_text(coarse) + positions_text(reader.positions()) + documents +
         quarantine;
}

// Opens the ledger and sends it what it knows already, in doubt, and anew.
Result<std::string> answers_when_fed(FaultBench& bench) {
  TRY(bench.open());
  auto& fed = bench.ledger();
  auto& batch = fed.batch();
  batch.begin_segment({"default", "kafka:test/again", 0, false}, 0);
  std::vector<std::string> ids;
  for (int64_t i = 0; i < records; ++i) ids.push_back("id-" + std::to_string(i));
  int64_t offset = 0;
  for (const auto& id : ids)
    batch.add(ledger::testing::retraction("again-" + id, id), offset++, id);
  batch.add(ledger::testing::retraction("r-1", "id-3"), offset++, "r-1");
  batch.add(ledger::testing::usage_event("late", 5, 5), offset++, "late");
  batch.end_segment(offset, 0, 0);
  TRY(fed.commit());
  TRY(fed.settle("default", "live", {.requests = 1}));
  TRY(fed.flush());
  TRY(const auto fine, fed.usage(by_grain()));
  TRY(const auto coarse, fed.usage(by_month()));
  std::string text = usage_text(fine) + usage_text(coarse);
  for (const auto count : fed.status().head.records) text += std::to_string(count) + ' ';
  for (const auto& answer : fed.quotas().list("default", ledger::testing::at("2027-01-16")))
    text += answer.quota + ' ' + gauger::to_string(answer.held) + '\n';
  return text;
}

void fill(FaultBench& bench) {
  require(bench.open());
  Quota quota;
  quota.id = "q";
  quota.limit = 1'000'000;
  quota.measure.kind = QuotaMeasure::Kind::requests;
  require(bench.ledger().define_quotas({quota}, {}));
  QuotaRequest request;
  request.amounts.requests = 2;
  REQUIRE(bench.ledger()
              .reserve(request, "live", ledger::testing::at("2027-01-16T06:00:00Z"))
              .value()
              .allowed);
  require(bench.run(records));
  auto& batch = bench.ledger().batch();
  batch.begin_segment({"default", "kafka:test/other", 0, false}, 0);
  batch.add(ledger::testing::retraction("r-1", "id-3"), 0, "r-1");
  batch.add(ledger::testing::outcome_event("o-1", "id-4", Outcome::accepted), 1, "o-1");
  batch.add(ledger::testing::retraction("r-2", "late"), 2, "r-2");  // waits
  batch.reject(RejectReason::undecodable, "not an event", 3, "not an event");
  batch.end_segment(4, 0, 0);
  require(bench.ledger().commit());
  require(bench.ledger().flush());
}

class Sweep {
 public:
  explicit Sweep(DiskImage image) : image_(std::move(image)) {
    SimulatedDisk disk(image_);
    FaultBench bench(disk, true);
    REQUIRE(bench.verify().value().findings.empty());
    read_ = answers_of(*bench.reader().value()).value();
    older_ = without_newest_anchor();
    fed_ = answers_when_fed(bench).value();
  }

  void flip(const std::string& path, uint64_t byte, unsigned bit) {
    INFO(path << " byte " << byte << " bit " << bit);
    SimulatedDisk disk(image_);
    disk.flip(path, byte, bit);
    FaultBench bench(disk, true);
    auto& noticed = noticed_[file_kind_of(path)];
    ++noticed.flips;
    const auto verified = bench.verify();
    const bool by_verify = !verified || !verified.value().findings.empty();
    if (!verified) check_sentence(verified.error());
    const auto by_reader = !is({read_, older_}, [&]() -> Result<std::string> {
      TRY(const auto reader, bench.reader());
      return answers_of(*reader);
    });
    const auto by_writer = !is({fed_, fed_}, [&] { return answers_when_fed(bench); });
    noticed.by_verify += by_verify;
    noticed.by_reader += by_reader;
    noticed.by_writer += by_writer;
    if (by_verify || by_reader || by_writer) {
      // What any of them trips over, verify finds.
      CHECK(by_verify);
      return;
    }
    ++noticed.nobody;
    unnoticed_[path].push_back(byte);
  }

  // Whether nothing is told from the file: a table that a process was about to take in when it was
  // killed. The next start deletes it.
  bool is_left_over(const std::string& path) const {
    auto without = image_;
    without.erase(path);
    SimulatedDisk disk(without);
    FaultBench bench(disk, true);
    const auto verified = bench.verify();
    const auto reader = bench.reader();
    if (!verified || !verified.value().findings.empty() || !reader) return false;
    const auto answers = answers_of(*reader.value());
    return answers && answers.value() == read_;
  }

  // A table ends with 53 bytes, of which RocksDB fills what is left of 40 with zeros.
  bool only_footers_unnoticed() const {
    for (const auto& [path, bytes] : unnoticed_)
      for (const auto byte : bytes)
        if (file_kind_of(path) == FileKind::table && byte + 53 < image_.at(path).size())
          return false;
    return true;
  }

  const DiskImage& image() const { return image_; }
  Noticed noticed(FileKind kind) { return noticed_[kind]; }

  void print(const char* what) const {
    for (const auto& [kind, noticed] : noticed_)
      std::printf(
          "%s %-8s %6llu flips: verify names %llu, a reader %llu, a writer %llu; nobody %llu\n",
          what, std::string(to_string(kind)).c_str(),
          static_cast<unsigned long long>(noticed.flips),
          static_cast<unsigned long long>(noticed.by_verify),
          static_cast<unsigned long long>(noticed.by_reader),
          static_cast<unsigned long long>(noticed.by_writer),
          static_cast<unsigned long long>(noticed.nobody));
    for (const auto& [path, bytes] : unnoticed_) {
      std::printf("  %s unnoticed at", path.c_str());
      for (size_t i = 0; i < bytes.size() && i < 24; ++i)
        std::printf(" %llu", static_cast<unsigned long long>(bytes[i]));
      std::printf(bytes.size() > 24 ? " ...\n" : "\n");
    }
  }

 private:
  static void check_sentence(const Error& error) {
    CHECK((error.code == ErrorCode::corruption || error.code == ErrorCode::io ||
           error.code == ErrorCode::newer_format || error.code == ErrorCode::not_found));
    CHECK(error.sentence.size() > 20);
  }
  // Whether it answers as a sound ledger; an error is not an answer, anything else is wrong.
  template <class Ask>
  bool is(const std::pair<std::string, std::string>& expected, const Ask& ask) {
    const auto answered = ask();
    if (!answered) {
      check_sentence(answered.error());
      return false;
    }
    const bool right = answered.value() == expected.first || answered.value() == expected.second;
    CHECK(right);
    return true;
  }

  // Where the newest slot of the anchor is damaged, a reader answers as of the one before it: an
  // earlier state, but a true one.
  std::string without_newest_anchor() const {
    for (const uint64_t slot : {0, 1}) {
      SimulatedDisk disk(image_);
      disk.flip(directory + "/anchor", slot * 512 + 40, 0);
      FaultBench bench(disk, true);
      const auto reader = bench.reader();
      if (!reader) continue;
      auto answers = answers_of(*reader.value());
      if (answers && answers.value() != read_) return answers.value();
    }
    return read_;
  }

  const DiskImage image_;
  std::string read_;
  std::string older_;
  std::string fed_;
  std::map<FileKind, Noticed> noticed_;
  std::map<std::string, std::vector<uint64_t>> unnoticed_;
};

void sweep(Sweep& ledger, const char* what) {
  const auto* wanted = std::getenv("GAUGER_FLIPS");
  const auto flips = wanted == nullptr ? uint64_t{60} : std::stoull(wanted);
  uint64_t bytes = 0;
  for (const auto& [path, content] : ledger.image())
    if (file_kind_of(path) != FileKind::other) bytes += content.size();
  const auto chance = flips == 0 ? 1 : std::max<uint64_t>(1, bytes / flips);
  std::mt19937_64 random(flips);
  for (const auto& [path, content] : ledger.image()) {
    if (file_kind_of(path) == FileKind::table && ledger.is_left_over(path)) {
      std::printf("%s %s is no part of the ledger\n", what, path.c_str());
      continue;
    }
    // Nothing reads RocksDB's options and identity; a few flips show it.
    const auto few = file_kind_of(path) == FileKind::other ? content.size() / 4 + 1 : 1;
    for (uint64_t byte = 0; byte < content.size(); ++byte)
      if (random() % (chance * few) == 0)
        ledger.flip(path, byte, static_cast<unsigned>(random() % 8));
  }
  ledger.print(what);
  // Beyond what nobody reads, and the padding of RocksDB's footers, nothing stays unnoticed.
  for (const auto kind : {FileKind::log, FileKind::manifest, FileKind::current, FileKind::anchor})
    CHECK(ledger.noticed(kind).nobody == 0);
  CHECK(ledger.only_footers_unnoticed());
}

}  // namespace

TEST_CASE("a flipped bit of a closed ledger is named and never billed", "[faults]") {
  SimulatedDisk disk;
  FaultBench bench(disk, true);
  fill(bench);
  require(bench.close());
  bench.drop();
  Sweep ledger(disk.image());
  sweep(ledger, "closed");
}

TEST_CASE("a flipped bit of a killed ledger is named and never billed", "[faults]") {
  SimulatedDisk disk;
  FaultBench bench(disk, true);
  fill(bench);
  disk.halt();
  bench.drop();
  Sweep ledger(disk.image());
  sweep(ledger, "killed");
}
