// Why: what retention takes away must be missed by nobody who was promised it. How: a ledger of ten
// days, cut in the middle, asked for everything that it still has to know.
#include "ledger/backup/retention.h"

#include <filesystem>
#include <random>

#include "ledger/backup/backup.h"
#include "ledger/cut.h"
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

const auto silent = [](uint64_t, uint64_t) {};

class TenDays {
 public:
  TenDays() {
    root =
        fs::temp_directory_path() / ("gauger-retention-" + std::to_string(std::random_device{}()));
    const auto ledger = open();
    for (int day = 0; day < 10; ++day) {
      clock.set(at("2027-01-10T12:00:00Z") + std::chrono::days{day});
      const auto id = std::to_string(day);
      add(*ledger, {usage("a" + id), usage("b" + id), retraction("r" + id, "a" + id),
                    outcome_event("o" + id, "b" + id, Outcome::accepted),
                    retraction("w" + id, "not-yet-" + id)});
      if (day % 3 != 0) continue;
      DocumentDraft draft;
      draft.key.kind = "price_book";
      draft.key.id = "list";
      draft.content = "{\"day\": " + id + "}";
      REQUIRE(ledger->append_documents({draft}).has_value());
    }
    REQUIRE(ledger->close().has_value());
  }
  ~TenDays() { fs::remove_all(root); }

  fs::path data() const { return root / "ledger"; }
  fs::path archive() const { return root / "archive"; }
  std::unique_ptr<Ledger> open() const {
    auto opened = Ledger::open(data(), {}, clock);
    REQUIRE(opened.has_value());
    return std::move(opened.value());
  }
  UsageEvent usage(const std::string& id) {
    texts_.push_back(std::make_unique<std::string>(id));
    auto event = usage_event(*texts_.back(), 10, 1);
    event.completed_at = event.started_at = clock.now();
    return event;
  }
  void add(Ledger& ledger, const std::vector<UsageEvent>& events) {
    auto& batch = ledger.batch();
    batch.begin_segment({"default", "kafka:c/usage", 0, false}, next_);
    for (const auto& event : events) batch.add(event, next_++, event.id);
    batch.end_segment(next_, 0, 0);
    REQUIRE(ledger.commit().has_value());
    REQUIRE(ledger.flush().has_value());
  }
  RetentionReport cut(std::string_view before) const {
    const auto report = retain(data(), {archive(), at(before), {}, "ana"}, clock, {silent, silent});
    if (!report) FAIL(report.error().sentence);
    return report.value();
  }
  VerifyReport verified(const fs::path& path) const {
    const auto report = verify(path, silent);
    if (!report) FAIL(report.error().sentence);
    for (const auto& finding : report.value().findings) FAIL_CHECK(finding);
    return report.value();
  }
  UsageTable all(const fs::path& path) const {
    UsageQuery query;
    query.interval = {at("2027-01-01"), at("2027-02-01")};
    query.group = mask_of(Dimension::outcome);
    return Reader::open(path).value()->usage(query).value();
  }

  fs::path root;
  FixedClock clock{at("2027-01-10T12:00:00Z")};

 private:
  int64_t next_ = 0;
  std::vector<std::unique_ptr<std::string>> texts_;
};

bool same(const UsageTable& a, const UsageTable& b) {
  if (a.rows.size() != b.rows.size()) return false;
  for (size_t i = 0; i < a.rows.size(); ++i)
    if (a.rows[i].requests != b.rows[i].requests || a.rows[i].counts != b.rows[i].counts)
      return false;
  return true;
}

}  // namespace

TEST_CASE("a journal that was cut still answers and verifies and knows its duplicates",
          "[ledger]") {
  TenDays ten;
  const auto before = ten.all(ten.data());
  const auto report = ten.cut("2027-01-15");
  CHECK(report.blocks == 7);  // five days, two documents
  CHECK(report.archived == 7);
  CHECK(report.removed == 5);
  CHECK(ten.verified(ten.data()).archived_through == 7);
  CHECK(same(ten.all(ten.data()), before));
  CHECK(ten.cut("2027-01-15").blocks == 0);

  // Documents of then are read, single events are refused.
  const auto reader = Reader::open(ten.data()).value();
  const auto first = reader->documents().version({"default", "price_book", "list"}, 1).value();
  CHECK(reader->documents().read(*first).value().content == "{\"day\": 0}");
  EventQuery query;
  query.wanted = [](const UsageKey&) { return true; };
  query.interval = {at("2027-01-12"), at("2027-01-13")};
  const auto walked = reader->events(query, [](const EventRow&) -> Result<bool> { return true; });
  CHECK(walked.error().code == ErrorCode::refused);
  query.interval = {at("2027-01-17"), at("2027-01-20")};
  size_t seen = 0;
  CHECK(reader
            ->events(query,
                     [&](const EventRow&) -> Result<bool> {
                       ++seen;
                       return true;
                     })
            .has_value());
  CHECK(seen == 3);

  // The same event again, what waited since before the cut, and what it can no longer reach.
  const auto ledger = ten.open();
  auto again = ten.usage("a2");
  again.completed_at = again.started_at = at("2027-01-12T12:00:00Z");
  ten.add(*ledger, {again, ten.usage("not-yet-1"), retraction("late", "b1")});
  const auto head = ledger->status().head;
  CHECK(head.records[static_cast<size_t>(Disposition::duplicate)] == 1);
  CHECK(head.records[static_cast<size_t>(Disposition::quarantined)] == 1);
  CHECK(ledger->status().waiting == 9);
  REQUIRE(ledger->close().has_value());
  CHECK(same(ten.all(ten.data()), before));
  ten.verified(ten.data());
}

TEST_CASE("a journal is cut again and again into one archive", "[ledger]") {
  TenDays ten;
  const auto before = ten.all(ten.data());
  for (const auto* day : {"2027-01-12", "2027-01-14", "2027-01-18"}) {
    CHECK(ten.cut(day).blocks > 0);
    ten.verified(ten.data());
  }
  CHECK(same(ten.all(ten.data()), before));
  const auto other = retain(ten.data(), {ten.root / "other", at("2027-01-19"), {}, "ana"},
                            ten.clock, {silent, silent});
  CHECK(other.error().code == ErrorCode::refused);
}

TEST_CASE("archive and ledger together are the whole journal", "[ledger]") {
  TenDays ten;
  const auto before = ten.all(ten.data());
  ten.cut("2027-01-16");
  CHECK(rebuild(ten.data(), {}, silent).error().code == ErrorCode::refused);
  RebuildOptions options;
  options.archive = ten.archive();
  const auto rebuilt = rebuild(ten.data(), options, silent);
  if (!rebuilt) FAIL(rebuilt.error().sentence);
  for (const auto& finding : rebuilt.value().findings) FAIL_CHECK(finding);
  ten.verified(ten.data());
  CHECK(same(ten.all(ten.data()), before));

  const auto backups = ten.root / "backups";
  CHECK(back_up(ten.data(), backups, {}, ten.clock, silent).error().code == ErrorCode::refused);
  const auto backup = back_up(ten.data(), backups, ten.archive(), ten.clock, silent).value().backup;
  REQUIRE(restore(backups, backup, ten.root / "again", "ana", ten.clock, silent).has_value());
  CHECK(ten.verified(ten.root / "again").archived_through == 0);
  CHECK(same(ten.all(ten.root / "again"), before));
}

TEST_CASE("backups go on where a cut passed the last one", "[ledger]") {
  TenDays ten;
  const auto backups = ten.root / "backups";
  REQUIRE(back_up(ten.data(), backups, {}, ten.clock, silent).has_value());
  for (const auto* id : {"x", "y"}) {
    ten.clock.set(ten.clock.now() + std::chrono::days{1});
    const auto ledger = ten.open();
    ten.add(*ledger, {ten.usage(id)});
    REQUIRE(ledger->close().has_value());
  }
  const auto before = ten.all(ten.data());
  ten.cut("2027-03-01");
  // The archive's file begins before the backup ends.
  const auto made = back_up(ten.data(), backups, ten.archive(), ten.clock, silent);
  if (!made) FAIL(made.error().sentence);
  REQUIRE(verify_backup(backups, made.value().backup, silent).has_value());
  REQUIRE(restore(backups, made.value().backup, ten.root / "again", "ana", ten.clock, silent)
              .has_value());
  CHECK(same(ten.all(ten.root / "again"), before));
}

TEST_CASE("a cut that was changed afterwards is found", "[ledger]") {
  TenDays ten;
  ten.cut("2027-01-15");
  {
    const auto store = RocksStore::open(ten.data() / "store", {}).value();
    auto cut = decode_cut(store->get(Family::meta, cut_key).value().value()).value();
    cut.days.begin()->second ^= 1;
    WriteSet writes;
    writes.put(Family::meta, std::string(cut_key), encode(cut).value());
    REQUIRE(store->write(writes).has_value());
    REQUIRE(store->sync().has_value());
  }
  CHECK(verify(ten.data(), silent).value().findings.size() == 2);
}
