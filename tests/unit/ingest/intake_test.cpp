// Why: the intake joins sources, decoders and the ledger, and must neither lose nor double at
// the seams. How: sources made of strings, the real ledger over memory or a directory.
#include "ingest/intake.h"

#include <filesystem>
#include <random>

#include "ingest/formats.h"
#include "ingest/json_decoder.h"
#include "schemas/usage_event.pb.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ingest;
using gauger::ledger::testing::Bench;

namespace {

// Hands out prepared records, some per poll.
class ListSource final : public Source {
 public:
  explicit ListSource(std::string name) { partitions_ = {{name, 0}, {name, 1}}; }
  void add(uint32_t partition, int64_t offset, std::string bytes) {
    bytes_.push_back(std::make_shared<const std::string>(std::move(bytes)));
    records_.push_back({*bytes_.back(), offset, partition});
  }
  const std::vector<PartitionName>& partitions() const override { return partitions_; }
  Result<void> poll(RecordBatch& batch, size_t records_max, size_t,
                    std::chrono::milliseconds) override {
    for (size_t i = 0; i < std::min<size_t>(records_max, 3) && next_ < records_.size(); ++i)
      batch.records.push_back(records_[next_++]);
    batch.at_end = next_ == records_.size();
    if (batch.at_end) batch.positions = last_positions;
    return success();
  }
  Result<std::vector<int64_t>> end_offsets() const override { return ends; }
  std::vector<RecordBatch::Position> last_positions;
  std::vector<int64_t> ends;  // empty: not a log

 private:
  std::vector<PartitionName> partitions_;
  std::vector<std::shared_ptr<const std::string>> bytes_;
  std::vector<Record> records_;
  size_t next_ = 0;
};

std::string event_json(int id) {
  return R"({"source":"s","id":")" + std::to_string(id) +
         R"(","completed_at":"2027-01-15T12:00:00Z","provider":"p","model":"m","input_uncached":5})";
}

IntakeOptions json_options() {
  IntakeOptions options;
  options.decoder = make_json_decoder();
  return options;
}

bool go_on(const IntakeProgress&) { return true; }

}  // namespace

TEST_CASE("interleaved partitions, gaps and bad records reach the ledger with their positions",
          "[ingest]") {
  Bench bench;
  ListSource source("kafka:c/t");
  source.add(0, 10, event_json(1));
  source.add(1, 3, event_json(2));
  source.add(0, 12, "not json");
  source.add(0, 13, event_json(1));
  source.add(1, 4, event_json(3));
  source.last_positions = {{1, 9}};
  REQUIRE(run_intake(*bench.ledger, source, json_options(), go_on).has_value());
  bench.flush();
  CHECK(bench.requests() == 3);
  CHECK(bench.records(ledger::Disposition::duplicate) == 1);
  CHECK(bench.records(ledger::Disposition::quarantined) == 1);
  const auto first = bench.ledger->position("kafka:c/t", 0).value();
  CHECK(first.first_offset == 10);
  CHECK(first.next_offset == 14);
  CHECK(first.last_record_offset == 13);
  CHECK(first.gaps == 1);
  const auto second = bench.ledger->position("kafka:c/t", 1).value();
  CHECK(second.next_offset == 9);
  CHECK(second.last_record_offset == 4);
  CHECK(second.gaps == 4);
}

TEST_CASE("an intake names extras and counts events of nobody", "[ingest]") {
  Bench bench;
  ListSource source("kafka:c/t");
  auto with_extras = event_json(1);
  with_extras.replace(with_extras.size() - 1, 1, R"(,"extras":{"pages":2,"calls":1}})");
  source.add(0, 0, with_extras);
  source.add(0, 1, event_json(2));
  source.add(0, 2, R"({"extras":{"refused":1}})");
  source.add(0, 3, with_extras);
  const auto done = run_intake(*bench.ledger, source, json_options(), go_on);
  REQUIRE(done.has_value());
  REQUIRE(done.value().extras.size() == 2);
  CHECK(done.value().extras[0].name == "calls");
  CHECK(done.value().extras[1].name == "pages");
  CHECK(done.value().extras[1].events == 2);
  // The decoder of the test gives nobody a team, the ones by name do.
  CHECK(done.value().unattributed == 0);
  IntakeOptions options;
  options.decoder = make_decoder("json", {}).value();
  ListSource again("kafka:c/t2");
  again.add(0, 0, event_json(2));
  again.add(0, 1, R"({"source":"s","id":"r","retracts":{"id":"2","reason":"x"}})");
  CHECK(run_intake(*bench.ledger, again, std::move(options), go_on).value().unattributed == 1);
}

TEST_CASE("an intake that is told to stop has committed what it read", "[ingest]") {
  Bench bench;
  ListSource source("kafka:c/t");
  for (int i = 0; i < 9; ++i) source.add(0, i, event_json(i));
  const auto done = run_intake(*bench.ledger, source, json_options(),
                               [](const IntakeProgress& progress) { return progress.records < 6; });
  REQUIRE(done.has_value());
  CHECK(done.value().records == 6);
  bench.flush();
  CHECK(bench.requests() == 6);
  CHECK(bench.ledger->position("kafka:c/t", 0)->next_offset == 6);
}

TEST_CASE("a mapping document that comes later makes no conflict of a redelivery", "[ingest]") {
  Bench bench;
  v1::UsageEvent event;
  event.set_source("s");
  event.set_id("1");
  event.set_provider("p");
  event.set_provider_account("acct");
  event.set_model("m");
  event.set_output_text(5);
  event.mutable_completed_at()->set_seconds(to_us(parse_instant("2027-01-15T12:00:00Z").value()) /
                                            1'000'000);
  const auto send = [&](const char* name, std::unique_ptr<Decoder> decoder) {
    ListSource source(name);
    source.add(0, 0, event.SerializeAsString());
    IntakeOptions options;
    options.decoder = std::move(decoder);
    REQUIRE(run_intake(*bench.ledger, source, std::move(options), go_on).has_value());
  };
  const auto document =
      Attribution::parse("attribution: [{match: {provider_account: acct}, team: search}]");
  REQUIRE(document.has_value());
  DecoderOptions mapped;
  mapped.attribution = &document.value();
  send("kafka:c/first", nullptr);
  send("kafka:c/again", make_decoder("proto", mapped).value());
  bench.flush();
  CHECK(bench.requests() == 1);
  CHECK(bench.records(ledger::Disposition::duplicate) == 1);
  CHECK(bench.records(ledger::Disposition::conflict) == 0);
}

TEST_CASE("an intake without room on the disk pauses and reads nothing", "[ingest]") {
  const auto directory = std::filesystem::temp_directory_path() /
                         ("gauger-room-" + std::to_string(std::random_device{}()));
  ledger::LedgerOptions options;
  options.free_bytes_min = UINT64_MAX;
  const FixedClock clock{ledger::testing::at("2027-01-16T00:00:00Z")};
  {
    const auto opened = ledger::Ledger::open(directory, options, clock);
    REQUIRE(opened.has_value());
    ListSource source("file:x");
    source.add(0, 0, event_json(1));
    bool paused = false;
    const auto done =
        run_intake(*opened.value(), source, json_options(), [&](const IntakeProgress& progress) {
          paused = progress.paused;
          return false;
        });
    REQUIRE(done.has_value());
    CHECK(paused);
    CHECK(done.value().records == 0);
    CHECK(opened.value()->flush().has_value());
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("a partition is complete for the time at which its end was asked and no other is",
          "[ingest]") {
  Bench bench;
  ListSource source("kafka:c/t");
  source.add(0, 0, event_json(1));
  source.add(1, 0, event_json(2));
  source.ends = {1, 2};  // of the second partition one record is still on its way
  REQUIRE(run_intake(*bench.ledger, source, json_options(), go_on).has_value());
  bench.flush();
  CHECK(bench.ledger->position("kafka:c/t", 0)->complete_at == bench.clock.now());
  CHECK_FALSE(bench.ledger->position("kafka:c/t", 1)->complete_at);
  bench.reopen();
  CHECK(bench.ledger->position("kafka:c/t", 0)->complete_at == bench.clock.now());
  CHECK_FALSE(bench.ledger->position("kafka:c/t", 1)->complete_at);
}

TEST_CASE("an idle partition becomes complete without a record", "[ingest]") {
  Bench bench;
  for (const auto* day : {"2027-02-01", "2027-02-02"}) {
    bench.clock.set(parse_instant(day).value());
    ListSource source("kafka:c/t");
    source.last_positions = {{0, 7}, {1, 0}};
    source.ends = {7, 0};
    REQUIRE(run_intake(*bench.ledger, source, json_options(), go_on).has_value());
    bench.flush();
    CHECK(bench.ledger->position("kafka:c/t", 0)->complete_at == bench.clock.now());
    CHECK(bench.ledger->position("kafka:c/t", 1)->complete_at == bench.clock.now());
    CHECK(bench.ledger->position("kafka:c/t", 0)->next_offset == 7);
  }
}
