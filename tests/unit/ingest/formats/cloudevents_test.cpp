// Why: what existing producers send must be read as it is, and mean one event per identity.
// How: bytes that the npm packages cloudevents, @openmeter/sdk and @confluentinc/schemaregistry
// made (tests/golden), and the ways in which such records go wrong.
#include <simdjson.h>

#include "ingest/formats.h"
#include "tests/catch.h"
#include "tests/golden_file.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;
using tests::golden_file;

namespace {

Collect decode(std::string_view format, const std::string& record,
               const std::vector<RecordHeader>& headers = {}) {
  auto decoder = make_decoder(format, {});
  REQUIRE(decoder.has_value());
  return decode_all(*decoder.value(), record, headers);
}

// A golden message with its headers, read in the format that the headers say.
Collect decode_message(std::string_view name) {
  simdjson::dom::parser parser;
  const simdjson::dom::element message = parser.parse(golden_file(name));
  std::vector<RecordHeader> headers;
  for (const auto& [key, value] : simdjson::dom::object(message["headers"]))
    headers.push_back({key, std::string_view(value)});
  const auto body = find_body_format(headers);
  REQUIRE(body.has_value());
  CHECK_FALSE(body->framing.has_value());
  return decode(body->format, std::string(std::string_view(message["value"])), headers);
}

std::string cloud_event(const std::string& data, const std::string& more = "") {
  return R"({"specversion":"1.0","id":"1","source":"s","type":"t",)" + more + R"("data":)" + data +
         "}";
}

const std::string usage =
    R"({"provider":"p","model":"m","output_text":1,"completed_at":"2027-01-16T10:00:00Z"})";

Rejection rejection(const std::string& record, const std::vector<RecordHeader>& headers = {}) {
  const auto collected = decode("cloudevents", record, headers);
  REQUIRE(collected.events.empty());
  REQUIRE(collected.rejections.size() == 1);
  return collected.rejections[0];
}

bool says(const std::string& event, const std::string& line) {
  return ("\n" + event).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("CloudEvents of the npm package mean the same in every mode", "[ingest]") {
  const auto structured = decode("cloudevents", golden_file("cloudevents_structured.json"));
  REQUIRE(structured.events.size() == 1);
  const auto& event = structured.events[0];
  CHECK(says(event, "source=/gateways/eu-1"));
  CHECK(says(event, "id=ce-1"));
  CHECK(says(event, "team=search"));
  CHECK(says(event, "completed_at=2027-01-16T10:00:00.25Z"));
  CHECK(says(event, "cache_read=1920"));
  for (const auto* name : {"cloudevents_kafka_binary.json", "cloudevents_kafka_structured.json",
                           "cloudevents_http_binary.json"}) {
    INFO(name);
    CHECK(decode_message(name).events == structured.events);
  }
  const auto batch = decode("cloudevents", golden_file("cloudevents_batch.json"));
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events[0] == event);
  CHECK(says(batch.events[1], "id=ce-2"));
}

TEST_CASE("what the OpenMeter SDK sends is read as it is", "[ingest]") {
  const auto single = decode_message("openmeter_single.json");
  REQUIRE(single.events.size() == 1);
  CHECK(says(single.events[0], "source=my-app"));
  CHECK(says(single.events[0], "id=om-1"));
  CHECK(says(single.events[0], "input_uncached=123"));
  CHECK(says(single.events[0], "model=gpt-4-turbo"));
  CHECK(says(single.events[0], "team=unattributed"));
  const auto batch = decode_message("openmeter_batch.json");
  REQUIRE(batch.events.size() == 2);
  CHECK(says(batch.events[0], "input_uncached=100"));
  CHECK(says(batch.events[1], "output_text=7"));
}

TEST_CASE("tokens of a type that cannot be counted once are refused", "[ingest]") {
  const auto tokens = [](const std::string& members) {
    return cloud_event(R"({"provider":"p","model":"m",)" + members + "}",
                       R"("time":"2027-01-16T10:00:00Z",)");
  };
  CHECK(rejection(tokens(R"("tokens":5,"type":"total")")).reason == RejectReason::unmapped);
  CHECK(rejection(tokens(R"("tokens":5)")).reason == RejectReason::unmapped);
  CHECK(rejection(tokens(R"("tokens":"5.5","type":"input")")).reason == RejectReason::undecodable);
  CHECK(rejection(tokens(R"("tokens":-5,"type":"input")")).reason == RejectReason::negative_count);
  const auto extra = decode("cloudevents", tokens(R"("tokens":5,"type":"cache_read","pages":3)"));
  REQUIRE(extra.events.size() == 1);
  CHECK(says(extra.events[0], "cache_read=5"));
  CHECK(says(extra.events[0], "pages=3"));
}

TEST_CASE("the identity of a CloudEvent is its own", "[ingest]") {
  const auto event =
      decode("cloudevents", cloud_event(R"({"source":"inner","id":"inner",)" + usage.substr(1)));
  REQUIRE(event.events.size() == 1);
  CHECK(says(event.events[0], "source=s"));
  CHECK(says(event.events[0], "id=1"));
}

TEST_CASE("CloudEvents that lack what they must have are refused", "[ingest]") {
  CHECK(rejection(R"({"specversion":"1.0","source":"s","type":"t","data":)" + usage + "}").reason ==
        RejectReason::missing_identity);
  CHECK(rejection(R"({"specversion":"0.3","id":"1","source":"s","data":)" + usage + "}").detail ==
        "specversion is '0.3', not 1.0");
  CHECK(rejection(R"({"specversion":"1.0","id":"1","source":"s","type":"t"})").detail ==
        "the CloudEvent has no data");
  CHECK(rejection(cloud_event("5")).reason == RejectReason::undecodable);
  CHECK(rejection(cloud_event(usage, R"("id":"2",)")).reason == RejectReason::undecodable);
  CHECK(rejection(cloud_event(usage, R"("time":5,)")).reason == RejectReason::undecodable);
  CHECK(
      rejection(cloud_event(R"({"provider":"p","model":"m","output_text":1})", R"("time":"soon",)"))
          .reason == RejectReason::invalid_time);
  CHECK(rejection(cloud_event(R"({"taem":"x"})")).reason == RejectReason::unknown_field);
  CHECK(rejection("5").reason == RejectReason::undecodable);
  CHECK(rejection("{").reason == RejectReason::undecodable);
  CHECK(rejection("\"\xC3(\"").reason == RejectReason::invalid_text);
}

TEST_CASE("a bad CloudEvent of a batch is set aside alone", "[ingest]") {
  const auto good = cloud_event(usage);
  const auto bad = cloud_event(R"({"provider":"p"})");
  const auto collected = decode("cloudevents", "[" + good + "," + bad + "," + good + "]");
  CHECK(collected.events.size() == 2);
  REQUIRE(collected.rejections.size() == 1);
  CHECK(collected.rejections[0].part == bad);
}

TEST_CASE("binary CloudEvents carry JSON or protobuf", "[ingest]") {
  v1::UsageEvent message;
  message.set_provider("p");
  message.set_model("m");
  message.set_output_text(1);
  std::vector<RecordHeader> headers = {{"ce_specversion", "1.0"},
                                       {"ce_id", "7"},
                                       {"ce_source", "s"},
                                       {"ce_type", "t"},
                                       {"ce_time", "2027-01-16T10:00:00Z"},
                                       {"ce_team", "search"},
                                       {"content-type", "application/x-protobuf"}};
  const auto collected = decode("cloudevents", message.SerializeAsString(), headers);
  REQUIRE(collected.events.size() == 1);
  CHECK(says(collected.events[0], "id=7"));
  CHECK(says(collected.events[0], "team=search"));
  CHECK(rejection("\x0A\x05x", headers).reason == RejectReason::undecodable);
  CHECK(rejection("", headers).detail == "the CloudEvent has no data");
  headers.back().value = "image/png";
  CHECK(rejection("x", headers).reason == RejectReason::unmapped);
  headers.back().value = "application/json";
  CHECK(rejection("x", headers).reason == RejectReason::undecodable);
  headers[1].value = "\xFF";
  CHECK(rejection(usage, headers).reason == RejectReason::invalid_text);
}

TEST_CASE("data_base64 is protobuf or JSON by its content type", "[ingest]") {
  // The protobuf event {provider: "p", model: "m", output_text: 1}.
  const auto event = [](const std::string& base64, const std::string& type) {
    return R"({"specversion":"1.0","id":"1","source":"s","type":"t","time":"2027-01-16T10:00:00Z",)"
           R"("datacontenttype":")" +
           type + R"(","data_base64":")" + base64 + "\"}";
  };
  CHECK(decode("cloudevents", event("SgFwWgFtsAEB", "application/protobuf")).events.size() == 1);
  CHECK(rejection(event("SgFw!gFt", "application/protobuf")).detail == "data_base64 is not base64");
  CHECK(rejection(event("S", "application/protobuf")).reason == RejectReason::undecodable);
  CHECK(rejection(event("SgFw", "application/json")).reason == RejectReason::undecodable);
}

// --- Confluent ------------------------------------------------------------------------------

TEST_CASE("Confluent's serializer is understood with the id before and in a header", "[ingest]") {
  const auto event = decode("confluent", golden_file("confluent_event.bin"));
  REQUIRE(event.events.size() == 1);
  CHECK(says(event.events[0], "id=cf-1"));
  CHECK(says(event.events[0], "input_uncached=2000"));
  const auto batch = decode("confluent", golden_file("confluent_batch.bin"));
  REQUIRE(batch.events.size() == 2);
  CHECK(says(batch.events[1], "id=cf-3"));

  // The header of confluent_header.json: magic 1, a GUID, the index 0.
  const auto bytes = golden_file("confluent_event.bin");
  const std::string guid = std::string("\x01") + std::string(16, 'g') + std::string(1, '\0');
  const std::vector<RecordHeader> headers = {{"__value_schema_id", guid}};
  CHECK(find_body_format(headers)->format == "confluent");
  CHECK(decode("confluent", bytes.substr(6), headers).events == event.events);
}

TEST_CASE("Confluent's index of the first message may be written out", "[ingest]") {
  auto bytes = golden_file("confluent_event.bin");
  bytes.replace(5, 1, std::string("\x02\x00", 2));
  CHECK(decode("confluent", bytes).events.size() == 1);
  const std::string json = R"({"source":"s","id":"1","provider":"p","model":"m","output_text":1,)"
                           R"("completed_at":"2027-01-16T10:00:00Z"})";
  CHECK(decode("confluent", std::string("\0\0\0\0\x09", 5) + json).events.size() == 1);
}

TEST_CASE("what is not Confluent's wire format is undecodable", "[ingest]") {
  const auto bytes = golden_file("confluent_event.bin");
  const auto payload = bytes.substr(6);
  const auto refused = [](const std::string& record) {
    const auto collected = decode("confluent", record);
    REQUIRE(collected.rejections.size() == 1);
    CHECK(collected.rejections[0].reason == RejectReason::undecodable);
    return collected.rejections[0].detail;
  };
  refused("");
  refused(payload);
  refused(bytes.substr(0, 4));
  refused(bytes.substr(0, 5));
  const std::string id("\0\0\0\0\x01", 5);
  CHECK(refused(id + "\x02\x04" + payload).find("message index 2") == 0);
  CHECK(refused(id + std::string("\x04\x00\x00", 3) + payload).find("message index 0.0") == 0);
  CHECK(refused(id + "\x01" + payload) == "the message indexes are malformed");
  CHECK(refused(id + "\x7F" + payload) == "the message indexes are malformed");
}
