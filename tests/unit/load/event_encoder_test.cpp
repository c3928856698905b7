// Why: the encoders are our own for speed; libprotobuf decides what they should have written.
#include "tools/load/event_encoder.h"

#include <google/protobuf/util/message_differencer.h>

#include <array>
#include <vector>

#include "tests/unit/load/scratch.h"

using namespace gauger;
using gauger::load::encode_delimited_protobuf;
using gauger::load::encode_json_line;
using gauger::load::encoded_bytes_max;

namespace {

std::string encode(const UsageEvent& event, char* (*encoder)(const UsageEvent&, char*)) {
  std::string bytes(encoded_bytes_max(event), '\0');
  const auto* const end = encoder(event, bytes.data());
  bytes.resize(static_cast<size_t>(end - bytes.data()));
  return bytes;
}

v1::UsageEvent by_protobuf(const UsageEvent& event) {
  const auto events = tests::events_of_protobuf(encode(event, encode_delimited_protobuf));
  REQUIRE(events.size() == 1);
  return events[0];
}

v1::UsageEvent by_json(const UsageEvent& event) {
  const auto lines = tests::lines_of(encode(event, encode_json_line));
  REQUIRE(lines.size() == 1);
  return tests::event_of_json(lines[0]);
}

constexpr std::array<ExtraCount, 2> two_extras = {{{"pages", 7}, {"tool_calls", 0}}};

// Every field of the event has a value, each another one.
UsageEvent full_event() {
  UsageEvent event;
  event.source = "gateway/eu";
  event.id = "a \"quoted\" \\ id\twith a tab and \xC3\xA9";
  event.started_at = parse_instant("2026-10-31T23:59:59.999Z").value();
  event.completed_at = parse_instant("2026-11-01T00:00:01.000001Z").value();
  event.team = "team";
  event.project = "project";
  event.workload = "workload";
  event.agent_session = "session";
  event.provider = "provider";
  event.provider_account = "account";
  event.model = "model";
  event.region = "region";
  event.accelerator = "accelerator";
  event.provider_request_id = "request";
  event.program = "program";
  event.parent_id = "parent";
  event.reservation_id = "reservation";
  event.service_tier = ServiceTier::provisioned;
  event.usage_source = UsageSource::estimated;
  event.purpose = Purpose::distillation;
  event.exposure = Exposure::external;
  event.role = Role::fallback;
  event.outcome = Outcome::failed;
  for (size_t i = 0; i < meter_count; ++i)
    event.set(static_cast<Meter>(i), i == 3 ? 0 : int64_t{1} << (5 * i));
  event.extras = two_extras;
  event.input_total = 0;
  event.output_total = -5;
  event.retracts = {"other", "target", "why"};
  event.outcome_of = {"", "second", ""};
  return event;
}

}  // namespace

TEST_CASE("an event with every field set is read by libprotobuf as it was meant", "[load]") {
  const auto event = full_event();
  const auto read = by_protobuf(event);
  CHECK(read.source() == event.source);
  CHECK(read.id() == event.id);
  CHECK(read.started_at().seconds() == 1793491199);
  CHECK(read.started_at().nanos() == 999'000'000);
  CHECK(read.completed_at().seconds() == 1793491201);
  CHECK(read.completed_at().nanos() == 1'000);
  CHECK(read.team() == "team");
  CHECK(read.project() == "project");
  CHECK(read.workload() == "workload");
  CHECK(read.agent_session() == "session");
  CHECK(read.provider() == "provider");
  CHECK(read.provider_account() == "account");
  CHECK(read.model() == "model");
  CHECK(read.region() == "region");
  CHECK(read.accelerator() == "accelerator");
  CHECK(read.provider_request_id() == "request");
  CHECK(read.program() == "program");
  CHECK(read.parent_id() == "parent");
  CHECK(read.reservation_id() == "reservation");
  CHECK(read.service_tier() == v1::UsageEvent::provisioned);
  CHECK(read.usage_source() == v1::UsageEvent::estimated);
  CHECK(read.purpose() == v1::UsageEvent::distillation);
  CHECK(read.exposure() == v1::UsageEvent::external);
  CHECK(read.role() == v1::UsageEvent::fallback);
  CHECK(read.outcome() == v1::UsageEvent::failed);
  CHECK(read.has_cache_write_1h());
  for (size_t i = 0; i < meter_count; ++i)
    CHECK(tests::count_of(read, meter_names[i]) == event.counts[i]);
  CHECK(read.extras().size() == 2);
  CHECK(read.extras().at("pages") == 7);
  CHECK(read.has_input_total());
  CHECK(read.output_total() == -5);
  CHECK(read.retracts().source() == "other");
  CHECK(read.retracts().id() == "target");
  CHECK(read.retracts().reason() == "why");
  CHECK(read.outcome_of().id() == "second");
  CHECK(read.GetReflection()->GetUnknownFields(read).empty());
}

TEST_CASE("JSON and protobuf carry the same event", "[load]") {
  using google::protobuf::util::MessageDifferencer;
  CHECK(MessageDifferencer::Equals(by_json(full_event()), by_protobuf(full_event())));
  CHECK(MessageDifferencer::Equals(by_json(UsageEvent{}), v1::UsageEvent()));
  CHECK(MessageDifferencer::Equals(by_protobuf(UsageEvent{}), v1::UsageEvent()));
}

TEST_CASE("protobuf lengths of one, two and three bytes are minimal", "[load]") {
  std::vector<size_t> sizes = {16'379, 16'380, 16'381, 16'384, 40'000};
  for (size_t size = 0; size < 300; ++size) sizes.push_back(size);
  for (const auto size : sizes) {
    const std::string id(size, 'x');
    UsageEvent event;
    event.id = id;
    event.retracts = {id, "target", ""};
    const auto bytes = encode(event, encode_delimited_protobuf);
    const auto read = by_protobuf(event);
    CHECK(read.id() == id);
    CHECK(read.retracts().source() == id);
    const auto length = read.ByteSizeLong();
    const size_t length_bytes = length < 128 ? 1 : length < 16'384 ? 2 : 3;
    CHECK(bytes.size() == length + length_bytes);
  }
}
