// Why: a backup is believed on the worst day. How: real directories; a ledger that goes on while
// it is backed up; every byte of a backup flipped once; restored ledgers verify and go on exactly.
#include "ledger/backup/backup.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "ledger/backup/incarnation.h"
#include "ledger/reader.h"
#include "ledger/rebuild.h"
#include "ledger/rocks_store.h"
#include "ledger/verify.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;
namespace fs = std::filesystem;

namespace {

const BackupProgress silent = [](uint64_t, uint64_t) {};

class Site {
 public:
  Site() {
    root = fs::temp_directory_path() / ("gauger-backup-" + std::to_string(std::random_device{}()));
    fs::create_directories(root);
  }
  ~Site() { fs::remove_all(root); }

  fs::path data() const { return root / "ledger"; }
  fs::path backups() const { return root / "backups"; }

  // One block of events and one of what becomes of them.
  void add(Ledger& ledger, int64_t round) {
    auto& batch = ledger.batch();
    batch.begin_segment({"default", "kafka:c/usage", 0, false}, round * 4);
    const auto id = "id-" + std::to_string(round);
    const auto undone = "undo-" + id;
    const auto conflict = "of other content " + id;
    batch.add(usage_event(id, 10, 1), round * 4, id);
    batch.add(usage_event(id, 10, 2), round * 4 + 1, conflict);
    batch.add(retraction(undone, round % 2 == 0 ? id : "not-yet-" + id), round * 4 + 2, undone);
    batch.end_segment(round * 4 + 4, 0, 0);
    REQUIRE(ledger.commit().has_value());
    DocumentDraft draft;
    draft.key.kind = "price_book";
    draft.key.id = "list";
    draft.content = "{\"round\": " + std::to_string(round) + "}";
    REQUIRE(ledger.append_documents({draft}).has_value());
  }
  std::unique_ptr<Ledger> open(const fs::path& path) const {
    auto opened = Ledger::open(path, {}, clock);
    REQUIRE(opened.has_value());
    return std::move(opened.value());
  }
  Result<BackupReport> back_up() const {
    return ledger::back_up(data(), backups(), {}, clock, silent);
  }
  Result<RestoreReport> restore(const Backup& backup, const fs::path& into) const {
    return ledger::restore(backups(), backup, into, "ana", clock, silent);
  }

  fs::path root;
  FixedClock clock{at("2027-01-16T00:00:00Z")};
};

void expect_sound(const fs::path& data) {
  const auto report = verify(data, [](uint64_t, uint64_t) {});
  REQUIRE(report.has_value());
  for (const auto& finding : report.value().findings) FAIL_CHECK(finding);
}

UsageTable usage_of(const fs::path& data) {
  UsageQuery query;
  query.interval = {at("2026-01-01"), at("2028-01-01")};
  return Reader::open(data).value()->usage(query).value();
}

}  // namespace

TEST_CASE("backups of a ledger that goes on copy only what is new", "[ledger]") {
  Site place;
  const auto ledger = place.open(place.data());
  place.add(*ledger, 0);
  const auto first = place.back_up().value();
  CHECK(first.backup.number == 1);
  CHECK(first.blocks == 2);
  CHECK(place.back_up().value().unchanged);
  place.add(*ledger, 1);
  const auto second = place.back_up().value();
  CHECK(second.backup.number == 2);
  CHECK(second.blocks == 2);
  REQUIRE(second.backup.files.size() == 2);
  CHECK(second.backup.files[0].content == first.backup.files[0].content);
  CHECK(list_backups(place.backups()).value().size() == 2);
  CHECK(verify_backup(place.backups(), second.backup, silent).has_value());
}

TEST_CASE("a restored ledger holds what the backup held and goes on exactly", "[ledger]") {
  Site place;
  {
    const auto ledger = place.open(place.data());
    for (int64_t round = 0; round < 4; ++round) place.add(*ledger, round);
    REQUIRE(place.back_up().has_value());
    place.add(*ledger, 4);
    REQUIRE(ledger->close().has_value());
  }
  const auto backup = find_backup(place.backups(), 0).value();
  const auto again = place.root / "again";
  const auto report = place.restore(backup, again).value();
  CHECK(report.incarnation == 2);
  CHECK(report.head.sequence == backup.head.sequence + 1);
  expect_sound(again);
  CHECK(place.restore(backup, again).error().code == ErrorCode::refused);

  // The log is read again from where the backup stood; what it brings was never counted here.
  const auto ledger = place.open(again);
  CHECK(ledger->position("kafka:c/usage", 0)->next_offset == 16);
  place.add(*ledger, 4);
  REQUIRE(ledger->close().has_value());
  expect_sound(again);
  const auto restored = usage_of(again);
  const auto lost = usage_of(place.data());
  REQUIRE(restored.rows.size() == lost.rows.size());
  CHECK(restored.rows[0].requests == lost.rows[0].requests);
  CHECK(restored.rows[0].counts == lost.rows[0].counts);
  CHECK(Reader::open(again).value()->head().totals ==
        Reader::open(place.data()).value()->head().totals);

  // It goes on where the backups end, until the lost incarnation has gone further there.
  REQUIRE(place.back_up().has_value());
  CHECK(ledger::back_up(again, place.backups(), {}, place.clock, silent).error().code ==
        ErrorCode::refused);
  CHECK(ledger::back_up(again, place.root / "new", {}, place.clock, silent).has_value());
}

TEST_CASE("numbers are confirmed once per restore", "[ledger]") {
  Site place;
  const auto ledger = place.open(place.data());
  const auto refused = [&] { return !check_confirmed(ledger->documents(), "us").has_value(); };
  CHECK_FALSE(refused());
  for (int restored = 0; restored < 2; ++restored) {
    REQUIRE(ledger->append_documents({incarnation_draft("ana", "{}")}).has_value());
    CHECK(refused());
    REQUIRE(ledger->append_documents({confirmation_draft("them", "ana", "{}")}).has_value());
    CHECK(refused());
    REQUIRE(ledger->append_documents({confirmation_draft("us", "ana", "{}")}).has_value());
    CHECK_FALSE(refused());
  }
  CHECK(incarnation_of(ledger->documents()).value() == 3);
}

TEST_CASE("a backup that was killed midway counts for what it copied", "[ledger]") {
  Site place;
  const auto ledger = place.open(place.data());
  place.add(*ledger, 0);
  REQUIRE(place.back_up().has_value());
  place.add(*ledger, 1);
  REQUIRE(place.back_up().has_value());
  // Killed after its file and before its manifest, and in the middle of another file.
  fs::remove(place.backups() / "backup-0000000002.manifest");
  std::ofstream(place.backups() / "journal-x.gjf.partial") << "half";
  place.add(*ledger, 2);
  const auto report = place.back_up().value();
  CHECK(report.backup.number == 2);
  CHECK(report.blocks == 2);
  CHECK(report.backup.files.size() == 3);
  CHECK(verify_backup(place.backups(), report.backup, silent).has_value());
  CHECK_FALSE(fs::exists(place.backups() / "journal-x.gjf.partial"));
  expect_sound(place.data());
}

TEST_CASE("backups of another ledger are not added to", "[ledger]") {
  Site place;
  const auto ledger = place.open(place.data());
  place.add(*ledger, 0);
  REQUIRE(place.back_up().has_value());
  const auto other = place.open(place.root / "other");
  place.add(*other, 0);
  place.add(*other, 1);
  const auto refused =
      ledger::back_up(place.root / "other", place.backups(), {}, place.clock, silent);
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().sentence.find("another ledger") != std::string::npos);
}

TEST_CASE("any flipped bit of a backup is found before it is restored", "[ledger]") {
  Site place;
  {
    const auto ledger = place.open(place.data());
    place.add(*ledger, 0);
    REQUIRE(place.back_up().has_value());
  }
  std::mt19937 chance(5);
  for (const auto& entry : fs::directory_iterator(place.backups())) {
    if (entry.path().filename() == "lock") continue;
    const auto intact = read_file(entry.path()).value();
    for (size_t at = 0; at < intact.size(); ++at) {
      auto damaged = intact;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (chance() % 8)));
      std::ofstream(entry.path(), std::ios::binary) << damaged;
      const auto backup = find_backup(place.backups(), 0);
      INFO(entry.path() << " byte " << at);
      REQUIRE_FALSE((backup && verify_backup(place.backups(), backup.value(), silent)));
    }
    std::ofstream(entry.path(), std::ios::binary) << intact;
  }
  const auto backup = find_backup(place.backups(), 0).value();
  CHECK(verify_backup(place.backups(), backup, silent).has_value());
}

TEST_CASE("a rebuild mends what is not the journal's and says what it was", "[ledger]") {
  Site place;
  {
    const auto ledger = place.open(place.data());
    for (int64_t round = 0; round < 3; ++round) place.add(*ledger, round);
    REQUIRE(ledger->close().has_value());
  }
  const auto before = usage_of(place.data());
  CHECK(rebuild(place.data(), {}, silent).value().findings.empty());
  expect_sound(place.data());
  {
    const auto store = RocksStore::open(place.data() / "store", {}).value();
    WriteSet damage;
    for (const auto family : {Family::rollups, Family::amendments, Family::documents})
      REQUIRE(store
                  ->scan(family, family == Family::rollups ? "F" : "", {},
                         [&](std::string_view key, std::string_view) -> Result<bool> {
                           damage.remove(family, std::string(key));
                           return false;
                         })
                  .has_value());
    REQUIRE(damage.writes.size() == 3);
    REQUIRE(store->write(damage).has_value());
    REQUIRE(store->sync().has_value());
  }
  CHECK(verify(place.data(), [](uint64_t, uint64_t) {}).value().findings.size() == 3);
  CHECK(rebuild(place.data(), {}, silent).value().findings.size() == 3);
  expect_sound(place.data());
  CHECK(usage_of(place.data()).rows[0].counts == before.rows[0].counts);
}

TEST_CASE("a rebuild gives a ledger another grain and zone", "[ledger]") {
  Site place;
  {
    const auto ledger = place.open(place.data());
    place.add(*ledger, 1);
    REQUIRE(ledger->close().has_value());
  }
  const RebuildOptions options{std::chrono::minutes{60}, "Europe/Berlin", {}};
  const auto report = rebuild(place.data(), options, silent).value();
  CHECK(report.reconfigured);
  CHECK(report.findings.empty());
  expect_sound(place.data());
  const auto reader = Reader::open(place.data()).value();
  CHECK(reader->config().grain == std::chrono::minutes{60});
  CHECK(reader->config().time_zone == "Europe/Berlin");
  CHECK(usage_of(place.data()).rows[0].requests == 1);
  CHECK(rebuild(place.data(), {std::chrono::minutes{7}, {}, {}}, silent).error().code ==
        ErrorCode::invalid_argument);
}
