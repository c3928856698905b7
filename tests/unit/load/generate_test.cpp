// Why: a benchmark is believed when its data are the same everywhere and its expected sums are
// right. The recount reads the file through libprotobuf and knows nothing of the generator.
#include "tools/load/generate.h"

#include <google/protobuf/util/message_differencer.h>
#include <xxhash.h>

#include <algorithm>
#include <set>

#include "tests/unit/load/scratch.h"

using namespace gauger;
using load::EventFormat;
using load::generate;
using load::GenerateOptions;

namespace {

GenerateOptions options_for(const tests::ScratchDirectory& scratch, EventFormat format) {
  GenerateOptions options;
  options.synthetic.records = 20'000;
  options.synthetic.seed = 42;
  options.synthetic.teams = 50;
  options.synthetic.models = 12;
  options.synthetic.workloads = 20;
  options.synthetic.from = parse_instant("2026-10-01").value();
  options.synthetic.span = std::chrono::days{31};
  options.synthetic.late_max = std::chrono::hours{72};
  options.format = format;
  options.output = scratch.file(format == EventFormat::jsonl ? "e.jsonl" : "e.pb");
  options.summary = scratch.file("summary.json");
  return options;
}

Instant completed_at(const v1::UsageEvent& event) {
  const auto& time = event.completed_at();
  return instant_from_us(time.seconds() * 1'000'000 + time.nanos() / 1'000);
}

struct Recount {
  uint64_t events = 0;
  uint64_t duplicates = 0;
  uint64_t restamped = 0;
  uint64_t late = 0;
  load::UsageSummary summary;
};

// First record of an identity stands; a further one is a copy, or differs in its times only.
Recount recount(const std::vector<v1::UsageEvent>& events) {
  Recount result;
  std::map<std::string, const v1::UsageEvent*> first;
  Instant newest = instant_from_us(0);
  for (const auto& event : events) {
    const auto [known, fresh] = first.try_emplace(event.source() + '\n' + event.id(), &event);
    if (!fresh) {
      auto other = event;
      const bool same_time = completed_at(other) == completed_at(*known->second);
      *other.mutable_completed_at() = known->second->completed_at();
      *other.mutable_started_at() = known->second->started_at();
      CHECK(google::protobuf::util::MessageDifferencer::Equals(other, *known->second));
      ++(same_time ? result.duplicates : result.restamped);
      continue;
    }
    ++result.events;
    if (completed_at(event) < newest - std::chrono::seconds{30}) ++result.late;
    newest = std::max(newest, completed_at(event));
    Counts counts{};
    for (size_t i = 0; i < meter_count; ++i) {
      counts[i] = tests::count_of(event, meter_names[i]);
      CHECK(counts[i] >= 0);
    }
    result.summary.total.add(counts);
    result.summary.by_team_model[{event.team(), event.model()}].add(counts);
    result.summary.by_day[load::utc_day(completed_at(event))].add(counts);
  }
  return result;
}

}  // namespace

TEST_CASE("a seed writes the same bytes for ever", "[load]") {
  tests::ScratchDirectory scratch;
  const auto options = options_for(scratch, EventFormat::protobuf);
  REQUIRE(generate(options).has_value());
  const auto bytes = tests::read_bytes(options.output);
  const auto summary = tests::read_bytes(options.summary);
  // A change here makes older benchmark figures incomparable.
  CHECK(XXH3_64bits(bytes.data(), bytes.size()) == 0x1016c3eacfbb2277U);
  CHECK(XXH3_64bits(summary.data(), summary.size()) == 0x6b3f658ba2b8852bU);

  auto other = options;
  other.synthetic.seed = 43;
  REQUIRE(generate(other).has_value());
  CHECK(tests::read_bytes(options.output) != bytes);
}

TEST_CASE("the summary equals an independent recount of the file", "[load]") {
  tests::ScratchDirectory scratch;
  const auto options = options_for(scratch, EventFormat::protobuf);
  const auto generated = generate(options);
  REQUIRE(generated.has_value());
  const auto events = tests::events_of_protobuf(tests::read_bytes(options.output));
  CHECK(events.size() == options.synthetic.records);
  const auto counted = recount(events);
  CHECK(counted.events == generated.value().events);
  CHECK(counted.duplicates == generated.value().duplicates);
  CHECK(counted.restamped == generated.value().restamped);
  CHECK(counted.summary.total == generated.value().summary.total);
  CHECK(counted.summary.by_team_model == generated.value().summary.by_team_model);
  CHECK(counted.summary.by_day == generated.value().summary.by_day);
  CHECK(counted.summary.by_day.size() == 31);
}

TEST_CASE("JSON lines and protobuf carry the same generated events", "[load]") {
  tests::ScratchDirectory scratch;
  const auto protobuf = options_for(scratch, EventFormat::protobuf);
  const auto json = options_for(scratch, EventFormat::jsonl);
  REQUIRE(generate(protobuf).has_value());
  const auto summary = tests::read_bytes(protobuf.summary);
  REQUIRE(generate(json).has_value());
  CHECK(tests::read_bytes(json.summary) == summary);
  const auto events = tests::events_of_protobuf(tests::read_bytes(protobuf.output));
  const auto lines = tests::lines_of(tests::read_bytes(json.output));
  REQUIRE(lines.size() == events.size());
  for (size_t i = 0; i < lines.size(); i += 7)
    CHECK(google::protobuf::util::MessageDifferencer::Equals(tests::event_of_json(lines[i]),
                                                             events[i]));
}

TEST_CASE("the generated traffic has the shares and the shape that were asked for", "[load]") {
  tests::ScratchDirectory scratch;
  auto options = options_for(scratch, EventFormat::protobuf);
  options.synthetic.duplicates_per_million = 50'000;
  options.synthetic.late_per_million = 20'000;
  REQUIRE(generate(options).has_value());
  const auto bytes = tests::read_bytes(options.output);
  const auto events = tests::events_of_protobuf(bytes);
  const auto counted = recount(events);
  const auto copies = counted.duplicates + counted.restamped;
  CHECK((copies > 900 && copies < 1'100));
  CHECK((counted.restamped > copies / 3 && counted.restamped < copies * 2 / 3));
  // The disorder of the last seconds hides none of the late ones.
  CHECK((counted.late > 300 && counted.late < 460));
  CHECK((bytes.size() / events.size() > 120 && bytes.size() / events.size() < 175));

  // The largest team of fifty has 1 / H(50) = 22 % of the traffic, twice the second's.
  std::map<std::string, int64_t> by_team;
  for (const auto& [names, cell] : counted.summary.by_team_model)
    by_team[names.first] += cell.requests;
  const auto events_total = static_cast<int64_t>(counted.events);
  CHECK(by_team.size() == 50);
  CHECK((by_team["team-0001"] * 100 > events_total * 20));
  CHECK((by_team["team-0001"] * 100 < events_total * 24));
  CHECK((by_team["team-0001"] * 10 > by_team["team-0002"] * 17));
  CHECK((by_team["team-0001"] * 10 < by_team["team-0002"] * 23));

  const auto& counts = counted.summary.total.counts;
  for (const auto meter : {Meter::input_uncached, Meter::cache_read, Meter::cache_write_5m,
                           Meter::output_text, Meter::output_reasoning, Meter::compute_us})
    CHECK(counts[static_cast<size_t>(meter)] > 0);
}

TEST_CASE("dense traffic stays within its hours, and one record is enough", "[load]") {
  tests::ScratchDirectory scratch;
  auto options = options_for(scratch, EventFormat::protobuf);
  options.synthetic.span = std::chrono::hours{6};
  options.synthetic.late_max = std::chrono::minutes{30};
  REQUIRE(generate(options).has_value());
  for (const auto& event : tests::events_of_protobuf(tests::read_bytes(options.output))) {
    const auto restamp_max = std::chrono::minutes{10};
    CHECK(completed_at(event) >= options.synthetic.from);
    CHECK(completed_at(event) < options.synthetic.from + std::chrono::hours{6} + restamp_max);
  }
  options.synthetic.records = 1;
  options.synthetic.teams = options.synthetic.models = options.synthetic.workloads = 1;
  REQUIRE(generate(options).has_value());
  CHECK(tests::events_of_protobuf(tests::read_bytes(options.output)).size() == 1);
}

TEST_CASE("a compressed file holds what the plain one does", "[load]") {
  tests::ScratchDirectory scratch;
  auto options = options_for(scratch, EventFormat::jsonl);
  REQUIRE(generate(options).has_value());
  const auto plain = tests::read_bytes(options.output);
  options.output += ".gz";
  REQUIRE(generate(options).has_value());
  CHECK(tests::read_gzip(options.output) == plain);
}

TEST_CASE("a file that cannot be written is an error with its name", "[load]") {
  tests::ScratchDirectory scratch;
  auto options = options_for(scratch, EventFormat::protobuf);
  options.output = scratch.file("no/such/directory.pb");
  const auto generated = generate(options);
  REQUIRE_FALSE(generated.has_value());
  CHECK(generated.error().sentence.find("no/such/directory.pb") != std::string::npos);
}
