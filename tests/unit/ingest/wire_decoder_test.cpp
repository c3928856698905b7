// Why: every count passes through a parser of our own; whatever it reads, libprotobuf must read
// the same, and what the rules refuse must be refused with its own reason.
// How: golden events, the unusual encodings that protobuf allows, and mutated bytes, each
// compared with libprotobuf's reflection.
#include "ingest/wire_decoder.h"

#include <random>

#include "tests/catch.h"
#include "tests/guarded_bytes.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

v1::UsageEvent ordinary() {
  v1::UsageEvent event;
  event.set_source("gateway-1");
  event.set_id("req_0001");
  event.mutable_started_at()->set_seconds(1'799'000'000);
  event.mutable_completed_at()->set_seconds(1'799'000'002);
  event.mutable_completed_at()->set_nanos(123'456'789);
  event.set_team("search");
  event.set_provider("anthropic");
  event.set_model("claude-sonnet-4-5");
  event.set_input_uncached(1000);
  event.set_cache_read(0);
  event.set_output_text(200);
  return event;
}

struct Answer {
  RejectReason reason;
  std::string event;
  std::string detail;
};

Answer decode(const std::string& bytes) {
  WireScratch scratch;
  WireReference reference;
  UsageEvent event;
  static GuardedBytes guarded;
  const auto reason = decode_wire(guarded.hold(bytes), event, scratch);
  CHECK(wire_disagreement(bytes, reason, event, reference) == "");
  CHECK((reason == RejectReason::none) == scratch.detail.empty());
  return {reason, reason == RejectReason::none ? describe(event) : "", scratch.detail};
}

Answer decode(const v1::UsageEvent& event) { return decode(event.SerializeAsString()); }

template <class Change>
RejectReason reason_after(Change change) {
  auto event = ordinary();
  change(event);
  return decode(event).reason;
}

std::string text(std::initializer_list<int> bytes) {
  std::string result;
  for (const auto byte : bytes) result.push_back(static_cast<char>(byte));
  return result;
}

std::vector<const google::protobuf::FieldDescriptor*> fields_of(const v1::UsageEvent& event) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  event.GetReflection()->ListFields(event, &fields);
  return fields;
}

// An event that uses every field of the schema.
v1::UsageEvent full() {
  auto event = ordinary();
  const auto* descriptor = event.GetDescriptor();
  const auto* reflection = event.GetReflection();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->is_repeated()) continue;
    if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING)
      reflection->SetString(&event, field, "näme-" + std::to_string(i));
    if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64)
      reflection->SetInt64(&event, field, 1 << i);
    if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM)
      reflection->SetEnumValue(&event, field, 1);
  }
  event.set_input_total(event.input_uncached() + event.cache_read() + event.cache_write_5m() +
                        event.cache_write_1h() + event.input_audio() + event.input_image());
  event.set_output_total(event.output_text() + event.output_reasoning() + event.output_audio());
  (*event.mutable_extras())["web_fetches"] = 3;
  (*event.mutable_extras())["pages"] = 0;
  event.mutable_retracts()->set_id("older");
  event.mutable_retracts()->set_reason("replaced");
  event.add_must_understand("team");
  event.add_must_understand("cacheWrite5m");
  return event;
}

}  // namespace

TEST_CASE("an ordinary protobuf event is read with presence and microseconds", "[ingest]") {
  WireScratch scratch;
  UsageEvent event;
  const auto bytes = ordinary().SerializeAsString();
  REQUIRE(decode_wire(bytes, event, scratch) == RejectReason::none);
  CHECK(event.source == "gateway-1");
  CHECK(event.model == "claude-sonnet-4-5");
  CHECK(event.completed_at == instant_from_us(1'799'000'002'123'456));
  CHECK(event.has(Meter::cache_read));
  CHECK_FALSE(event.has(Meter::cache_write_5m));
  CHECK(event.counts[0] == 1000);
  CHECK(event.source.data() >= bytes.data());
  CHECK(event.source.data() < bytes.data() + bytes.size());
}

TEST_CASE("every field of the schema reaches the event", "[ingest]") {
  const auto answer = decode(full());
  REQUIRE(answer.reason == RejectReason::none);
  for (const auto& field : event_fields)
    if (field.kind != FieldKind::extras && field.kind != FieldKind::must_understand &&
        !is_enum(field.kind) && field.name != "outcome_of")
      CHECK(answer.event.find(std::string(field.name) + "=") != std::string::npos);
  CHECK(answer.event.find("batch estimated shadow external retry accepted") != std::string::npos);
  CHECK(answer.event.find("pages=0\nweb_fetches=3") != std::string::npos);
}

TEST_CASE("an event without identity is missing_identity", "[ingest]") {
  CHECK(decode(std::string()).reason == RejectReason::missing_identity);
  CHECK(reason_after([](auto& e) { e.clear_source(); }) == RejectReason::missing_identity);
  CHECK(reason_after([](auto& e) { e.clear_id(); }) == RejectReason::missing_identity);
  CHECK(reason_after([](auto& e) { e.mutable_retracts(); }) == RejectReason::missing_identity);
  CHECK(reason_after([](auto& e) { e.mutable_outcome_of()->set_reason("x"); }) ==
        RejectReason::missing_identity);
}

TEST_CASE("texts over their limit are refused, texts at it are kept", "[ingest]") {
  const auto longest = std::string(limits::text_bytes_max, 'x');
  const auto too_long = longest + "x";
  CHECK(reason_after([&](auto& e) { e.set_id(longest); }) == RejectReason::none);
  CHECK(reason_after([&](auto& e) { e.set_id(too_long); }) == RejectReason::identity_too_long);
  CHECK(reason_after([&](auto& e) { e.set_source(too_long); }) == RejectReason::identity_too_long);
  CHECK(reason_after([&](auto& e) { e.mutable_retracts()->set_id(too_long); }) ==
        RejectReason::identity_too_long);
  CHECK(reason_after([&](auto& e) { e.set_team(longest); }) == RejectReason::none);
  CHECK(reason_after([&](auto& e) { e.set_reservation_id(too_long); }) ==
        RejectReason::text_too_long);
  CHECK(reason_after([&](auto& e) { (*e.mutable_extras())[too_long] = 1; }) ==
        RejectReason::text_too_long);
}

TEST_CASE("text that is not UTF-8 is invalid_text and names its field", "[ingest]") {
  const auto bytes = ordinary().SerializeAsString() + text({0x2A, 3, 'a', 0xC3, '('});
  const auto answer = decode(bytes);
  CHECK(answer.reason == RejectReason::invalid_text);
  CHECK(answer.detail == "team is not UTF-8");
  CHECK(reason_after([](auto& e) { e.set_team("équipe 検索"); }) == RejectReason::none);
}

TEST_CASE("impossible counts are refused with the number", "[ingest]") {
  auto event = ordinary();
  event.set_cache_read(-5);
  const auto answer = decode(event);
  CHECK(answer.reason == RejectReason::negative_count);
  CHECK(answer.detail == "cache_read is -5");
  CHECK(reason_after([](auto& e) { e.set_images(limits::count_max); }) == RejectReason::none);
  CHECK(reason_after([](auto& e) { e.set_images(limits::count_max + 1); }) ==
        RejectReason::count_too_large);
  CHECK(reason_after([](auto& e) { (*e.mutable_extras())["x"] = -1; }) ==
        RejectReason::negative_count);
  CHECK(reason_after([](auto& e) { e.set_input_total(std::numeric_limits<int64_t>::min()); }) ==
        RejectReason::negative_count);
}

TEST_CASE("parts that do not add up to a stated total are refused with both numbers", "[ingest]") {
  auto event = ordinary();
  event.set_input_total(1200);
  const auto answer = decode(event);
  CHECK(answer.reason == RejectReason::totals_disagree);
  CHECK(answer.detail == "input_total is 1200 but the parts add up to 1000");
  CHECK(reason_after([](auto& e) { e.set_input_total(1000); }) == RejectReason::none);
  CHECK(reason_after([](auto& e) { e.set_output_total(201); }) == RejectReason::totals_disagree);
  CHECK(reason_after([](auto& e) {
          e.set_output_reasoning(50);
          e.set_output_total(250);
        }) == RejectReason::none);
}

TEST_CASE("usage needs provider, model, completion and a count", "[ingest]") {
  CHECK(reason_after([](auto& e) { e.clear_provider(); }) == RejectReason::missing_field);
  CHECK(reason_after([](auto& e) { e.clear_model(); }) == RejectReason::missing_field);
  CHECK(reason_after([](auto& e) { e.clear_completed_at(); }) == RejectReason::missing_field);
  CHECK(reason_after([](auto& e) {
          e.clear_input_uncached();
          e.clear_cache_read();
          e.clear_output_text();
        }) == RejectReason::missing_field);
  CHECK(reason_after([](auto& e) {
          e.clear_input_uncached();
          e.clear_output_text();
        }) == RejectReason::none);  // cache_read is 0, which is a count
}

TEST_CASE("usage that is missing carries no counts", "[ingest]") {
  CHECK(reason_after([](auto& e) { e.set_usage_source(v1::UsageEvent::missing); }) ==
        RejectReason::undecodable);
  CHECK(reason_after([](auto& e) {
          e.set_usage_source(v1::UsageEvent::missing);
          e.clear_input_uncached();
          e.clear_cache_read();
          e.clear_output_text();
        }) == RejectReason::none);
}

TEST_CASE("a pure retraction needs no more than identities", "[ingest]") {
  v1::UsageEvent event;
  event.set_source("gateway-1");
  event.set_id("retraction-1");
  event.mutable_retracts()->set_id("req_0001");
  CHECK(decode(event).reason == RejectReason::none);
  event.mutable_retracts()->set_id("retraction-1");
  CHECK(decode(event).reason == RejectReason::target_not_usage);
  event.mutable_retracts()->set_source("gateway-2");
  CHECK(decode(event).reason == RejectReason::none);
  event.set_input_uncached(5);
  CHECK(decode(event).reason == RejectReason::missing_field);
}

TEST_CASE("an outcome event needs an outcome and carries no counts", "[ingest]") {
  v1::UsageEvent event;
  event.set_source("gateway-1");
  event.set_id("outcome-1");
  event.mutable_outcome_of()->set_id("req_0001");
  CHECK(decode(event).reason == RejectReason::missing_field);
  event.set_outcome(v1::UsageEvent::escalated);
  CHECK(decode(event).reason == RejectReason::none);
  event.set_output_text(0);
  CHECK(decode(event).reason == RejectReason::undecodable);
  event.clear_output_text();
  event.mutable_retracts()->set_id("req_0001");
  CHECK(decode(event).reason == RejectReason::undecodable);
}

TEST_CASE("enums that the schema does not know are unknown_enum", "[ingest]") {
  const auto bytes = ordinary().SerializeAsString();
  CHECK(decode(bytes + text({0x68, 5})).reason == RejectReason::unknown_enum);
  CHECK(decode(bytes + text({0x68, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F})).reason ==
        RejectReason::unknown_enum);
  // The last one wins, and only the low 32 bits count.
  CHECK(decode(bytes + text({0x68, 9, 0x68, 4})).reason == RejectReason::none);
  CHECK(decode(bytes + text({0x68, 0x82, 0x80, 0x80, 0x80, 0x10})).reason == RejectReason::none);
}

TEST_CASE("times outside the years 1 to 9999 are invalid_time", "[ingest]") {
  CHECK(reason_after([](auto& e) {
          e.mutable_completed_at()->set_seconds(timestamp_seconds_max + 1);
        }) == RejectReason::invalid_time);
  CHECK(reason_after([](auto& e) { e.mutable_completed_at()->set_nanos(1'000'000'000); }) ==
        RejectReason::invalid_time);
  CHECK(reason_after([](auto& e) { e.mutable_completed_at()->set_nanos(-1); }) ==
        RejectReason::invalid_time);
  CHECK(reason_after([](auto& e) { e.mutable_started_at()->set_seconds(-1); }) ==
        RejectReason::none);
  CHECK(reason_after([](auto& e) { e.mutable_started_at()->set_seconds(1'799'000'003); }) ==
        RejectReason::invalid_time);
}

TEST_CASE("a must-understand field that is unknown is newer_schema", "[ingest]") {
  auto event = ordinary();
  event.add_must_understand("model");
  event.add_must_understand("quantum_tokens");
  const auto answer = decode(event);
  CHECK(answer.reason == RejectReason::newer_schema);
  CHECK(answer.detail.find("quantum_tokens") != std::string::npos);
}

TEST_CASE("extras are sorted, unique and bounded", "[ingest]") {
  auto event = ordinary();
  for (size_t i = 0; i < limits::extras_max; ++i)
    (*event.mutable_extras())["extra " + std::to_string(i)] = static_cast<int64_t>(i);
  CHECK(decode(event).reason == RejectReason::none);
  (*event.mutable_extras())["one more"] = 1;
  CHECK(decode(event).reason == RejectReason::too_many_extras);
  CHECK(reason_after([](auto& e) { (*e.mutable_extras())["cache_read"] = 1; }) ==
        RejectReason::unknown_field);
  CHECK(reason_after([](auto& e) { (*e.mutable_extras())[""] = 1; }) ==
        RejectReason::missing_field);
}

TEST_CASE("unusual encodings mean what libprotobuf says they mean", "[ingest]") {
  const auto bytes = ordinary().SerializeAsString();
  const std::vector<std::string> suffixes = {
      text({0x80, 0x01, 0x05}),                   // a count again: the last one wins
      text({0x80, 0x01, 0x85, 0x80, 0x00}),       // the same, over-long
      text({0x80, 0x81, 0x00, 0x05}),             // its tag over-long
      text({0x0A, 0x81, 0x00, 'x'}),              // its length over-long
      text({0x2A, 0x01, 'y'}),                    // team again
      text({0x28, 0x07}),                         // team as a varint: an unknown field
      text({0x82, 0x01, 0x02, 0x01, 0x02}),       // a packed count: an unknown field
      text({0x22, 0x02, 0x10, 0x05}),             // the completion's nanos again: merged
      text({0x22, 0x00}),                         // an empty piece of it
      text({0xC2, 0x02, 0x03, 0x12, 0x01, 'z'}),  // retracts z
      text({0xC2, 0x02, 0x03, 0x12, 0x01, 'z', 0xC2, 0x02, 0x03, 0x0A, 0x01, 's'}),
      text({0xE2, 0x01, 0x05, 0x0A, 0x01, 'w', 0x10, 0x03}),  // an extra
      text({0xE2, 0x01, 0x05, 0x10, 0x03, 0x0A, 0x01, 'w'}),  // value first
      text({0xE2, 0x01, 0x03, 0x0A, 0x01, 'w'}),              // no value: zero
      text({0xE2, 0x01, 0x05, 0x0A, 0x01, 'w', 0x10, 0x03, 0xE2, 0x01, 0x05, 0x0A, 0x01, 'w', 0x10,
            0x04}),                                     // the last one of a name wins
      text({0xBA, 0x3E, 0x02, 'a', 'b'}),               // an unknown field, number 999
      text({0xF8, 0x01, 0x07}),                         // field 31, which is unused
      text({0xFB, 0x01, 0x0A, 0x01, 'q', 0xFC, 0x01}),  // a group
      text({0xFB, 0x01, 0x0A, 0x01, 'q'}),              // a group without end
      text({0xFC, 0x01}),                               // an end without group
      text({0x00, 0x01}),                               // field number 0
      text({0x07}),                                     // wire type 7
      text({0x80, 0x01}),                               // a tag without value
      text({0x0A, 0x7F, 'x'}),                          // a length beyond the end
      text({0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}),       // a length beyond memory
      text({0x80, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}),  // -1
      text({0x80, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}),
  };
  for (const auto& suffix : suffixes) {
    decode(bytes + suffix);
    decode(suffix + bytes);
  }
}

TEST_CASE("a truncated event is never taken for a whole one of other content", "[ingest]") {
  const auto bytes = full().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) decode(bytes.substr(0, size));
}

// Behind other fields, so that a bound on the whole record alone would not be enough.
TEST_CASE("a record that ends within any of its fields is read to its end only", "[ingest]") {
  const auto before = ordinary().SerializeAsString();
  const auto all = full();
  const auto* reflection = all.GetReflection();
  for (const auto* field : fields_of(all)) {
    auto one = all;
    for (const auto* other : fields_of(all))
      if (other != field) reflection->ClearField(&one, other);
    if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64)
      reflection->SetInt64(&one, field, int64_t{1} << 48);
    const auto bytes = one.SerializeAsString();
    INFO(field->name());
    REQUIRE(bytes.size() > 1);
    for (size_t size = 1; size <= bytes.size(); ++size) {
      decode(before + bytes.substr(0, size));
      decode(bytes.substr(0, size));
    }
    // Cut off where another number, of any length, would have to follow.
    for (size_t size = 1; size < 12; ++size)
      decode(before + bytes.substr(0, bytes.size() - 1) + std::string(size, '\xFF'));
  }
}

TEST_CASE("mutated events are read as libprotobuf reads them", "[ingest]") {
  std::mt19937 random(20270116);
  const std::vector<std::string> seeds = {ordinary().SerializeAsString(),
                                          full().SerializeAsString()};
  WireScratch scratch;
  WireReference reference;
  UsageEvent event;
  size_t accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    auto bytes = seeds[random() % seeds.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes.insert(at, 1, static_cast<char>(random())); break;
        case 2: bytes.erase(at, 1 + random() % 4); break;
        default: bytes += bytes.substr(at, random() % 32); break;
      }
      if (bytes.empty()) break;
    }
    const auto reason = decode_wire(bytes, event, scratch);
    accepted += reason == RejectReason::none;
    const auto disagreement = wire_disagreement(bytes, reason, event, reference);
    if (!disagreement.empty()) {
      INFO("round " << round);
      REQUIRE(disagreement == "");
    }
    scratch.clear();
  }
  CHECK(accepted > 3'000);
}

TEST_CASE("a batch answers for each of its events", "[ingest]") {
  v1::UsageEventBatch batch;
  *batch.add_events() = ordinary();
  batch.add_events()->set_source("gateway-1");
  *batch.add_events() = ordinary();
  batch.mutable_events(2)->set_id("req_0002");
  const auto decoder = make_wire_decoder(WirePacking::batch);
  const auto collected = decode_all(*decoder, batch.SerializeAsString());
  CHECK(collected.events.size() == 2);
  REQUIRE(collected.rejections.size() == 1);
  CHECK(collected.rejections[0].reason == RejectReason::missing_identity);
  CHECK(collected.rejections[0].part == batch.events(1).SerializeAsString());
}

TEST_CASE("a batch cut off anywhere but between events is refused whole", "[ingest]") {
  v1::UsageEventBatch batch;
  *batch.add_events() = ordinary();
  *batch.add_events() = full();
  const auto bytes = batch.SerializeAsString();
  const auto first = batch.events(0).ByteSizeLong() + 2;
  const auto decoder = make_wire_decoder(WirePacking::batch);
  for (size_t size = 1; size < bytes.size(); ++size) {
    const auto collected = decode_all(*decoder, bytes.substr(0, size));
    CHECK(collected.events.size() == (size == first ? 1 : 0));
    CHECK(collected.rejections.size() == (size == first ? 0 : 1));
  }
}

TEST_CASE("a batch with groups in it is read by libprotobuf", "[ingest]") {
  v1::UsageEventBatch batch;
  *batch.add_events() = ordinary();
  const auto decoder = make_wire_decoder(WirePacking::batch);
  const auto collected =
      decode_all(*decoder, text({0xFB, 0x01, 0xFC, 0x01}) + batch.SerializeAsString());
  CHECK(collected.events.size() == 1);
  CHECK(collected.rejections.empty());
}

TEST_CASE("bytes that read as a batch of nothing are undecodable", "[ingest]") {
  const auto decoder = make_wire_decoder(WirePacking::batch);
  for (const auto& bytes : {text({0x3A, 0x01, 'x'}), text({0xFB, 0x01, 0xFC, 0x01})}) {
    const auto collected = decode_all(*decoder, bytes);
    REQUIRE(collected.rejections.size() == 1);
    CHECK(collected.rejections[0].detail == "a UsageEventBatch without events");
  }
  CHECK(decode_all(*decoder, "").rejections.empty());
}

TEST_CASE("length-delimited events in one record are all read", "[ingest]") {
  const auto event = ordinary().SerializeAsString();
  const auto one = std::string(1, static_cast<char>(event.size())) + event;
  const auto decoder = make_wire_decoder(WirePacking::delimited);
  CHECK(decode_all(*decoder, one + one).events.size() == 2);
  const auto cut = decode_all(*decoder, one + one.substr(0, 20));
  CHECK(cut.events.empty());
  REQUIRE(cut.rejections.size() == 1);
  CHECK(cut.rejections[0].reason == RejectReason::undecodable);
}

TEST_CASE("a record over the limit is record_too_large in every packing", "[ingest]") {
  const auto record = std::string(limits::record_bytes_max + 1, 'x');
  for (const auto packing : {WirePacking::single, WirePacking::batch, WirePacking::delimited}) {
    const auto collected = decode_all(*make_wire_decoder(packing), record);
    REQUIRE(collected.rejections.size() == 1);
    CHECK(collected.rejections[0].reason == RejectReason::record_too_large);
  }
}

TEST_CASE("a scratch keeps what events point to until it is cleared", "[ingest]") {
  WireScratch scratch;
  std::vector<UsageEvent> events(300);
  const auto bytes = full().SerializeAsString();
  const auto unusual = bytes + text({0xFB, 0x01, 0xFC, 0x01});
  for (size_t i = 0; i < events.size(); ++i)
    REQUIRE(decode_wire(i % 2 == 0 ? bytes : unusual, events[i], scratch) == RejectReason::none);
  for (const auto& event : events) CHECK(describe(event) == describe(events[0]));
  scratch.clear();
}
