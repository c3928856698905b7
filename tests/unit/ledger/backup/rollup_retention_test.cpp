// Why: rollups that retention gathers into days must say of days and months what they said before,
// whatever comes late, and prove it. How: four months of random usage around a change of clocks in
// Berlin, beside sums that the test keeps itself.
#include "ledger/backup/rollup_retention.h"

#include <filesystem>
#include <random>

#include "ledger/backup/backup.h"
#include "ledger/backup/retention.h"
#include "ledger/online_verifier.h"
#include "ledger/reader.h"
#include "ledger/rebuild.h"
#include "ledger/verify.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;
namespace fs = std::filesystem;

namespace {

const auto silent = [](uint64_t, uint64_t) {};
const auto berlin = TimeZone::find("Europe/Berlin").value();
int32_t day_of(std::string_view text) { return berlin.local_day(at(text)); }

class FourMonths {
 public:
  FourMonths() {
    root = fs::temp_directory_path() / ("gauger-rollups-" + std::to_string(std::random_device{}()));
    ledger = open();
    for (int day = 0; day < 120; ++day) {
      clock.set(at("2027-02-01T12:00:00Z") + std::chrono::days{day});
      for (int i = 0; i < 12; ++i)
        use(clock.now() - std::chrono::minutes{random() % (3 * 24 * 60)}, false);
      if (day % 3 == 0) take_back();
      flush();
    }
  }
  ~FourMonths() {
    ledger.reset();
    fs::remove_all(root);
  }

  std::unique_ptr<Ledger> open() {
    LedgerOptions options;
    options.single_threaded = true;
    options.config.emplace();
    options.config->time_zone = berlin.name();
    options.config->grain = std::chrono::minutes{30};
    return Ledger::open(data(), options, clock).value();
  }
  fs::path data() const { return root / "ledger"; }
  void close() {
    REQUIRE(ledger->close().has_value());
    ledger.reset();
  }
  void flush() {
    auto& batch = ledger->batch();
    batch.begin_segment({"default", "kafka:c/usage", 0, backfill_}, next_);
    for (const auto& event : events_) batch.add(event, next_++, event.id);
    batch.end_segment(next_, 0, 0);
    REQUIRE(ledger->flush().has_value());
    for (const auto fate : ledger->committed().dispositions())
      REQUIRE(fate == Disposition::accepted);
    events_.clear();
    backfill_ = false;
  }

  void use(Instant when, bool backfill) {
    const auto hash = random();
    auto event = usage_event(text("u" + std::to_string(next_id_++)), int64_t(hash % 1000), 1,
                             hash % 3 == 0 ? "ads" : "search");
    event.workload = hash % 5 == 0 ? "batch" : "chat";
    event.completed_at = event.started_at = when;
    static constexpr std::array<ExtraCount, 1> searches = {{{"web_searches", 3}}};
    if (hash % 7 == 0) event.extras = searches;
    events_.push_back(event);
    backfill_ = backfill;
    count(event, 1);
    fresh_.push_back(event);
  }
  // The last one that was used.
  void take_back() {
    const auto target = fresh_.back();
    fresh_.pop_back();
    events_.push_back(retraction(text("r" + std::to_string(next_id_++)), target.id));
    count(target, -1);
  }

  RetentionReport retain(std::string_view before, std::string_view fine_before) {
    RetentionOptions options{root / "archive", at(before), day_of(fine_before), "ana"};
    const auto report = ledger::retain(data(), options, clock, {silent, silent});
    if (!report) FAIL(report.error().sentence);
    return report.value();
  }
  void verified(const fs::path& path) const {
    const auto report = verify(path, silent);
    if (!report) FAIL(report.error().sentence);
    for (const auto& finding : report.value().findings) FAIL_CHECK(finding);
  }

  using Sums = std::map<std::string, std::pair<int64_t, int64_t>>;
  // By day, team and workload: of the ledger, and as the test kept them.
  static Sums sums(const Result<UsageTable>& answer) {
    if (!answer) FAIL(answer.error().sentence);
    const auto& table = answer.value();
    Sums sums;
    for (const auto& row : table.rows) {
      const auto& key = table.key(row);
      auto& [requests, tokens] =
          sums[name(row.period, table.text(key.team), table.text(key.workload))];
      requests += row.requests;
      tokens += row.counts[0];
    }
    std::erase_if(sums,
                  [](const auto& sum) { return sum.second == std::pair<int64_t, int64_t>{}; });
    return sums;
  }
  Sums expected() const {
    auto sums = expected_;
    std::erase_if(sums,
                  [](const auto& sum) { return sum.second == std::pair<int64_t, int64_t>{}; });
    return sums;
  }
  static UsageQuery query(Bucket bucket, DimensionMask group = all_dimensions) {
    return {{berlin.day_begin(day_of("2027-01-20")), berlin.day_begin(day_of("2027-07-01"))},
            group,
            bucket,
            {}};
  }
  void check(const Reader& reader) const {
    CHECK(sums(reader.usage(query(Bucket::day))) == expected());
  }
  void check(const fs::path& path) const { check(*Reader::open(path).value()); }

  fs::path root;
  FixedClock clock{at("2027-02-01T12:00:00Z")};
  std::unique_ptr<Ledger> ledger;
  std::mt19937_64 random{7};

 private:
  static std::string name(Instant when, std::string_view team, std::string_view workload) {
    return format_day(berlin.local_day(when)) + ' ' + std::string(team) + ' ' +
           std::string(workload);
  }
  std::string_view text(std::string id) {
    return *texts_.emplace_back(std::make_unique<std::string>(std::move(id)));
  }
  void count(const UsageEvent& event, int64_t sign) {
    auto& [requests, tokens] = expected_[name(event.completed_at, event.team, event.workload)];
    requests += sign;
    tokens += sign * event.counts[0];
  }

  Sums expected_;
  std::vector<UsageEvent> events_;
  std::vector<UsageEvent> fresh_;
  std::vector<std::unique_ptr<std::string>> texts_;
  bool backfill_ = false;
  int64_t next_ = 0;
  int next_id_ = 0;
};

std::string all_of(const Reader& reader, Bucket bucket, DimensionMask group) {
  const auto table = reader.usage(FourMonths::query(bucket, group)).value();
  std::vector<std::string> rows;
  for (const auto& row : table.rows) {
    const auto& key = table.key(row);
    auto line = format_instant(row.period) + std::string(table.text(key.team)) + '/' +
                std::string(table.text(key.workload)) + ' ' + std::to_string(row.requests);
    for (const auto count : row.counts) line += ' ' + std::to_string(count);
    for (uint32_t i = 0; i < row.extras_count; ++i) {
      const auto& extra = table.extras[row.extras_begin + i];
      line += ' ' + std::string(table.text(extra.name)) + std::to_string(extra.count);
    }
    rows.push_back(line);
  }
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& row : rows) text += row + '\n';
  return text;
}

}  // namespace

TEST_CASE("days and months are answered as before when their rollups were gathered", "[ledger]") {
  FourMonths months;
  months.close();
  std::vector<std::string> before;
  const auto ask = [&] {
    const auto reader = Reader::open(months.data()).value();
    std::vector<std::string> all;
    for (const auto bucket : {Bucket::none, Bucket::day, Bucket::month})
      for (const auto group : {all_dimensions, mask_of(Dimension::team),
                               mask_of(Dimension::workload) | mask_of(Dimension::outcome)})
        all.push_back(all_of(*reader, bucket, group));
    return all;
  };
  before = ask();
  const auto report = months.retain("2027-05-20", "2027-04-10");
  CHECK(format_instant(report.fine_from) == "2027-04-09T22:00:00Z");
  CHECK(report.days > 60);
  CHECK(ask() == before);
  months.check(months.data());
  months.verified(months.data());

  const auto reader = Reader::open(months.data()).value();
  auto query = FourMonths::query(Bucket::hour);
  auto refused = reader->usage(query);
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().sentence.find("2027-01-20") != std::string::npos);
  query.bucket = Bucket::none;
  query.interval.until = at("2027-03-28T05:00:00Z");
  refused = reader->usage(query);
  CHECK(refused.error().sentence.find("2027-03-28") != std::string::npos);
  CHECK(refused.error().sentence.find("2027-04-10") != std::string::npos);
  query.bucket = Bucket::grain;
  query.interval = {report.fine_from, at("2027-06-01")};
  CHECK(reader->usage(query).has_value());
  CHECK(months.retain("2027-05-20", "2027-04-10").days == 0);
}

TEST_CASE("rollups stay fine where late usage and quotas may need them", "[ledger]") {
  FourMonths months;
  months.close();
  CHECK(months.retain("2027-01-01", "2027-04-10").fine_from == Instant{});  // nothing is archived
  const auto report = months.retain("2027-04-20", "2027-04-20");
  CHECK(report.fine_from == berlin.day_begin(day_of("2027-03-17")));
  CHECK(months.retain("2027-04-20", "2027-02-20").fine_from == report.fine_from);
}

TEST_CASE("usage that comes late reaches gathered days exactly", "[ledger]") {
  FourMonths months;
  months.close();
  months.retain("2027-05-20", "2027-04-10");
  for (int round = 0; round < 3; ++round) {
    months.ledger = months.open();
    for (int i = 0; i < 40; ++i)
      months.use(at("2027-02-01") + std::chrono::minutes{months.random() % (70 * 24 * 60)}, true);
    months.flush();
    for (int i = 0; i < 5; ++i) months.take_back();
    months.flush();
    months.check(*months.ledger->reader().value());
    OnlineVerifier online(months.ledger->store(), months.ledger->config(),
                          [&] { return months.ledger->durable_head(); }, {});
    online.run_pass();
    CHECK(online.state().mismatches == 0);
    if (round == 1)
      months.ledger.reset();  // killed: nothing of it is packed
    else
      months.close();
    months.check(months.data());
    months.verified(months.data());
  }
}

TEST_CASE("gathered days are cut again and rebuilt and restored", "[ledger]") {
  FourMonths months;
  months.close();
  for (const auto& [before, fine_before] : {std::pair{"2027-04-10", "2027-02-25"},
                                            {"2027-05-01", "2027-03-26"},
                                            {"2027-05-20", "2027-03-26"},
                                            {"2027-05-28", "2027-04-14"}}) {
    months.retain(before, fine_before);
    months.verified(months.data());
  }
  RebuildOptions options;
  options.archive = months.root / "archive";
  const auto rebuilt = rebuild(months.data(), options, silent);
  if (!rebuilt) FAIL(rebuilt.error().sentence);
  for (const auto& finding : rebuilt.value().findings) FAIL_CHECK(finding);
  months.verified(months.data());
  months.check(months.data());
  options.time_zone = "Asia/Kolkata";
  CHECK(rebuild(months.data(), options, silent).error().code == ErrorCode::refused);

  const auto backups = months.root / "backups";
  const auto backup =
      back_up(months.data(), backups, months.root / "archive", months.clock, silent).value().backup;
  const auto again = months.root / "again";
  REQUIRE(restore(backups, backup, again, "ana", months.clock, silent).has_value());
  months.verified(again);
  months.check(again);
  // A restored ledger has the whole journal, and so all of its rollups.
  CHECK(Reader::open(again).value()->usage(FourMonths::query(Bucket::grain)).has_value());
}

TEST_CASE("rollups that are not the fold of the journal are not gathered", "[ledger]") {
  FourMonths months;
  months.close();
  {
    const auto store = RocksStore::open(months.data() / "store", {}).value();
    WriteSet writes;
    REQUIRE(store
                ->scan(Family::rollups, "F", "G",
                       [&](std::string_view key, std::string_view) -> Result<bool> {
                         writes.remove(Family::rollups, std::string(key));
                         return false;
                       })
                .has_value());
    REQUIRE(store->write_projection(writes).has_value());
  }
  const RetentionOptions options{months.root / "archive", at("2027-05-20"), day_of("2027-04-10"),
                                 "ana"};
  const auto refused = retain(months.data(), options, months.clock, {silent, silent});
  CHECK(refused.error().code == ErrorCode::corruption);
  CHECK(Reader::open(months.data()).value()->fine_from() == Instant{});
}
