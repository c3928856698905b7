// Why: P5. How: two small ledgers, one that was closed and one that was killed with everything in
// the write-ahead log; a bit of every byte in turn is turned over, and the ledger is verified,
// read, and opened and fed. Each of them may answer with an error or as the sound ledger does; any
// other answer fails the test. A flip that nobody notices lies where nothing is ever read from.
//
// RocksDB reads a table's properties before it compares their checksum, and one turned bit of them
// ends the process by an assertion of its own (ledger/rocks_abort.h). So everything that touches
// RocksDB runs in child processes, and where one is ended so, the next goes on behind that flip.
//
// GAUGER_FLIPS in the environment says how many flips are tried; 0 tries one of every byte, and of
// the manifest every bit.
// `./dev simulate --bit-flips` does that.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/faults/answers.h"
#include "tests/faults/child.h"
#include "tests/faults/fault_bench.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::testing;

namespace {

constexpr int64_t records = 40;
const std::string directory = "/srv/ledger";

struct Flip {
  std::string path;
  uint64_t byte;
  unsigned bit;
};

// What became of a flip, as a child tells it: a byte.
enum Became : uint8_t {
  by_verify = 1,
  by_reader = 2,
  by_writer = 4,
  wrong_answer = 8,
  bad_sentence = 16,
  changed_files = 32,  // by a writer that was refused
};

struct Noticed {
  uint64_t flips = 0;
  uint64_t by_verify = 0;
  uint64_t by_reader = 0;
  uint64_t by_writer = 0;
  uint64_t by_assertion = 0;
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

// Sends an open ledger what it knows already, in doubt, and anew.
Result<std::string> answers_when_fed(FaultBench& bench) {
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

// One turned bit after the other, in this process.
class Sweep {
 public:
  explicit Sweep(const DiskImage& image) : image_(image) {
    SimulatedDisk disk(image_);
    FaultBench bench(disk, true);
    REQUIRE(bench.verify().value().findings.empty());
    read_ = answers_of(*bench.reader().value()).value();
    older_ = without_newest_anchor();
    require(bench.open());
    fed_ = answers_when_fed(bench).value();
  }

  uint8_t flip(const Flip& flip) const {
    SimulatedDisk disk(image_);
    disk.flip(flip.path, flip.byte, flip.bit);
    FaultBench bench(disk, true);
    const auto verified = bench.verify();
    uint8_t outcome = 0;
    if (!verified) outcome |= check_sentence(verified.error());
    if (!verified || !verified.value().findings.empty()) outcome |= by_verify;
    outcome |= ask(by_reader, {read_, older_}, [&]() -> Result<std::string> {
      TRY(const auto reader, bench.reader());
      return answers_of(*reader);
    });
    const auto found = files_of_ledger(disk.image());
    outcome |= ask(by_writer, {fed_, fed_}, [&]() -> Result<std::string> {
      const auto opened = bench.open();
      if (!opened) {
        if (files_of_ledger(disk.image()) != found) outcome |= changed_files;
        return opened.error();
      }
      return answers_when_fed(bench);
    });
    return outcome;
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

 private:
  static uint8_t check_sentence(const Error& error) {
    const bool known = error.code == ErrorCode::corruption || error.code == ErrorCode::io ||
                       error.code == ErrorCode::newer_format || error.code == ErrorCode::not_found;
    return known && error.sentence.size() > 20 ? 0 : bad_sentence;
  }

  // Whether it answers as a sound ledger; an error is not an answer, anything else is wrong.
  template <class Ask>
  static uint8_t ask(Became noticed, const std::pair<std::string, std::string>& expected,
                     const Ask& question) {
    const auto answered = question();
    if (!answered) return noticed | check_sentence(answered.error());
    const bool right = answered.value() == expected.first || answered.value() == expected.second;
    return right ? 0 : wrong_answer;
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

  const DiskImage& image_;
  std::string read_;
  std::string older_;
  std::string fed_;
};

// What became of all flips of a ledger.
class Tally {
 public:
  void count(const Flip& flip, uint8_t outcome) {
    INFO(flip.path << " byte " << flip.byte << " bit " << flip.bit);
    auto& noticed = noticed_[file_kind_of(flip.path)];
    ++noticed.flips;
    CHECK((outcome & wrong_answer) == 0);
    CHECK((outcome & bad_sentence) == 0);
    // Damage of a table's data shows when it is read, behind RocksDB's own opening, which may put
    // the log into tables.
    if (file_kind_of(flip.path) != FileKind::table && file_kind_of(flip.path) != FileKind::blob)
      CHECK((outcome & changed_files) == 0);
    noticed.by_verify += (outcome & by_verify) != 0;
    noticed.by_reader += (outcome & by_reader) != 0;
    noticed.by_writer += (outcome & by_writer) != 0;
    if (outcome == 0) {
      ++noticed.nobody;
      unnoticed_[flip.path].push_back(flip.byte);
    } else {
      CHECK((outcome & by_verify) != 0);  // what any of them trips over, verify finds
    }
  }

  // RocksDB's own end of the process: one bit of each table's properties.
  void count_assertion(const Flip& flip) {
    INFO(flip.path << " byte " << flip.byte << " bit " << flip.bit);
    auto& noticed = noticed_[file_kind_of(flip.path)];
    ++noticed.flips;
    ++noticed.by_assertion;
    CHECK(file_kind_of(flip.path) == FileKind::table);
    CHECK(++assertions_[flip.path] == 1);
  }

  // A table ends with 53 bytes, of which RocksDB fills what is left of 40 with zeros.
  bool only_footers_unnoticed(const DiskImage& image) const {
    for (const auto& [path, bytes] : unnoticed_)
      for (const auto byte : bytes)
        if (file_kind_of(path) == FileKind::table && byte + 53 < image.at(path).size())
          return false;
    return true;
  }

  Noticed noticed(FileKind kind) { return noticed_[kind]; }

  void print(const char* what) const {
    for (const auto& [kind, noticed] : noticed_)
      std::printf(
          "%s %-8s %6llu flips: verify names %llu, a reader %llu, a writer %llu; RocksDB's "
          "assertions end %llu; nobody %llu\n",
          what, std::string(to_string(kind)).c_str(),
          static_cast<unsigned long long>(noticed.flips),
          static_cast<unsigned long long>(noticed.by_verify),
          static_cast<unsigned long long>(noticed.by_reader),
          static_cast<unsigned long long>(noticed.by_writer),
          static_cast<unsigned long long>(noticed.by_assertion),
          static_cast<unsigned long long>(noticed.nobody));
    for (const auto& [path, bytes] : unnoticed_) {
      std::printf("  %s unnoticed at", path.c_str());
      for (size_t i = 0; i < bytes.size() && i < 24; ++i)
        std::printf(" %llu", static_cast<unsigned long long>(bytes[i]));
      std::printf(bytes.size() > 24 ? " ...\n" : "\n");
    }
  }

 private:
  std::map<FileKind, Noticed> noticed_;
  std::map<std::string, std::vector<uint64_t>> unnoticed_;
  std::map<std::string, int> assertions_;
};

// A ledger's files, and those of them that are no part of it.
struct SmallLedger {
  DiskImage image;
  std::vector<std::string> left_over;
};

SmallLedger make_ledger(bool is_closed) {
  const auto made = in_child([&](const Tell& tell) {
    SimulatedDisk disk;
    FaultBench bench(disk, true);
    fill(bench);
    if (is_closed)
      require(bench.close());
    else
      disk.halt();
    bench.drop();
    const auto image = disk.image();
    const Sweep ledger(image);
    for (const auto& [path, content] : image) {
      const bool left_over = file_kind_of(path) == FileKind::table && ledger.is_left_over(path);
      tell((left_over ? "- " : "+ ") + path + '\n' + std::to_string(content.size()) + '\n' +
           content);
    }
  });
  REQUIRE(made.signal == 0);
  SmallLedger ledger;
  for (size_t at = 0; at < made.told.size();) {
    const auto name_end = made.told.find('\n', at);
    const auto path = made.told.substr(at + 2, name_end - at - 2);
    const auto size_end = made.told.find('\n', name_end + 1);
    const auto size = std::stoull(made.told.substr(name_end + 1, size_end - name_end - 1));
    if (made.told[at] == '-') ledger.left_over.push_back(path);
    ledger.image[path] = made.told.substr(size_end + 1, size);
    at = size_end + 1 + size;
  }
  REQUIRE(ledger.image.size() > 5);
  return ledger;
}

std::vector<Flip> choose_flips(const SmallLedger& ledger) {
  const auto* wanted = std::getenv("GAUGER_FLIPS");
  const auto flips = wanted == nullptr ? uint64_t{60} : std::stoull(wanted);
  uint64_t bytes = 0;
  for (const auto& [path, content] : ledger.image)
    if (file_kind_of(path) != FileKind::other) bytes += content.size();
  const auto chance = flips == 0 ? 1 : std::max<uint64_t>(1, bytes / flips);
  std::mt19937_64 random(flips);
  std::vector<Flip> chosen;
  for (const auto& [path, content] : ledger.image) {
    if (std::count(ledger.left_over.begin(), ledger.left_over.end(), path) != 0) continue;
    // Nothing reads RocksDB's options and identity; a few flips show it.
    const auto few = file_kind_of(path) == FileKind::other ? content.size() / 4 + 1 : 1;
    const bool every_bit = flips == 0 && file_kind_of(path) == FileKind::manifest;
    for (uint64_t byte = 0; byte < content.size(); ++byte) {
      if (random() % (chance * few) != 0) continue;
      const auto one = static_cast<unsigned>(random() % 8);
      for (unsigned bit = 0; bit < 8; ++bit)
        if (every_bit || bit == one) chosen.push_back({path, byte, bit});
    }
  }
  return chosen;
}

void sweep(bool is_closed) {
  const auto ledger = make_ledger(is_closed);
  const auto flips = choose_flips(ledger);
  Tally tally;
  for (size_t next = 0; next < flips.size();) {
    const auto tried = in_child([&](const Tell& tell) {
      const Sweep sweep(ledger.image);
      for (auto i = next; i < flips.size(); ++i)
        tell(std::string(1, static_cast<char>(sweep.flip(flips[i]))));
    });
    for (const auto outcome : tried.told) tally.count(flips[next++], static_cast<uint8_t>(outcome));
    if (next == flips.size()) break;
    REQUIRE(tried.signal == SIGABRT);
    tally.count_assertion(flips[next++]);
  }
  for (const auto& path : ledger.left_over)
    std::printf("%s is no part of the ledger\n", path.c_str());
  tally.print(is_closed ? "closed" : "killed");
  // Beyond what nobody reads, and the padding of RocksDB's footers, nothing stays unnoticed.
  for (const auto kind : {FileKind::log, FileKind::manifest, FileKind::current, FileKind::anchor})
    CHECK(tally.noticed(kind).nobody == 0);
  CHECK(tally.only_footers_unnoticed(ledger.image));
}

}  // namespace

TEST_CASE("a flipped bit of a closed ledger is named and never billed", "[faults]") { sweep(true); }

TEST_CASE("a flipped bit of a killed ledger is named and never billed", "[faults]") {
  sweep(false);
}
