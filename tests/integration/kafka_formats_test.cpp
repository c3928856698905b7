// Why: some formats say half of what they say in headers, which only a real broker carries from
// a foreign client to us. How: bytes that the npm packages cloudevents and
// @confluentinc/schemaregistry made (tests/golden) go through a topic, and `gauger ingest` reads
// it as a user runs it.
#include <simdjson.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "ingest/kafka_producer.h"
#include "tests/catch.h"
#include "tests/golden_file.h"
#include "tests/kafka_broker.h"

using namespace gauger;
using namespace gauger::ingest;
using namespace gauger::tests;
using namespace std::chrono_literals;

namespace {

// A directory that goes with the test.
class Scratch {
 public:
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "gauger-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  std::string path_;
};

// What the program printed; it must end well.
std::string run(const std::string& arguments) {
  const auto command = std::string(GAUGER_PROGRAM) + " " + arguments + " 2>&1";
  auto* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string printed;
  std::array<char, 4096> buffer{};
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    printed.append(buffer.data(), got);
  INFO(command << "\n" << printed);
  REQUIRE(::pclose(pipe) == 0);
  return printed;
}

std::unique_ptr<KafkaProducer> producer_to(const std::string& topic) {
  create_topic(kafka_bootstrap(), topic, 1);
  KafkaProducerConfig config;
  config.connection.brokers = kafka_bootstrap();
  config.topic = topic;
  return KafkaProducer::connect(config).value();
}

void send(KafkaProducer& producer, std::string_view value,
          const std::vector<RecordHeader>& headers = {}) {
  REQUIRE(producer.send({}, value, headers).has_value());
}

// A golden message with its headers.
void send_message(KafkaProducer& producer, std::string_view name) {
  simdjson::dom::parser parser;
  const simdjson::dom::element message = parser.parse(golden_file(name));
  std::vector<RecordHeader> headers;
  for (const auto& [key, value] : simdjson::dom::object(message["headers"]))
    headers.push_back({key, std::string_view(value)});
  send(producer, std::string_view(message["value"]), headers);
}

std::string ingested(const std::string& directory, const std::string& topic,
                     const std::string& format) {
  const auto printed =
      run("ingest --data " + directory + " --kafka " + kafka_bootstrap() + " --topic " + topic +
          " --until-end --now 2027-01-16T12:00:00Z --output json --format " + format);
  return printed.substr(printed.find("{\"records\""));
}

std::string usage(const std::string& directory) {
  return run("usage --data " + directory + " --by team,provider --output csv");
}

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("CloudEvents in binary mode are read with their headers", "[integration][kafka]") {
  const auto topic = topic_name("cloudevents");
  const auto producer = producer_to(topic);
  send_message(*producer, "cloudevents_kafka_binary.json");
  send_message(*producer, "cloudevents_kafka_structured.json");  // the same identity
  send(*producer, "{}", {{"ce_id", "x"}, {"ce_source", "s"}, {"ce_specversion", "0.3"}});
  REQUIRE(producer->flush(20s).has_value());
  const Scratch scratch;
  const auto report = ingested(scratch.path() + "/ledger", topic, "cloudevents");
  CHECK(holds(report, "\"records\": 3, \"accepted\": 1, \"duplicate\": 1"));
  CHECK(holds(report, "\"quarantined\": 1"));
  CHECK(holds(usage(scratch.path() + "/ledger"), "search,openai,1,86,1920,"));
}

TEST_CASE("Confluent's wire format is read from a topic", "[integration][kafka]") {
  const auto topic = topic_name("confluent");
  const auto producer = producer_to(topic);
  const auto event = golden_file("confluent_event.bin");
  send(*producer, event);
  send(*producer, golden_file("confluent_batch.bin"));
  // The schema's id may travel in a header instead: magic 1, a GUID, the index 0.
  const auto guid = std::string("\x01") + std::string(16, 'g') + std::string(1, '\0');
  send(*producer, event.substr(6), {{"__value_schema_id", guid}});
  send(*producer, event.substr(6));
  REQUIRE(producer->flush(20s).has_value());
  const Scratch scratch;
  const auto report = ingested(scratch.path() + "/ledger", topic, "confluent");
  CHECK(holds(report, "\"records\": 5, \"accepted\": 3, \"duplicate\": 1"));
  CHECK(holds(report, "\"quarantined\": 1"));
}

TEST_CASE("a response in a topic takes the rest from its headers", "[integration][kafka]") {
  const auto topic = topic_name("responses");
  const auto producer = producer_to(topic);
  const std::string response =
      R"({"id":"msg_1","type":"message","model":"claude-sonnet-4-5",)"
      R"("usage":{"input_tokens":2000,"output_tokens":503,"new_tokens":7}})";
  send(*producer, response,
       {{"gauger-completed-at", "2027-01-16T10:00:00Z"},
        {"gauger-team", "search"},
        {"gauger-source", "gateway"}});
  send(*producer, response);
  REQUIRE(producer->flush(20s).has_value());
  const Scratch scratch;
  const auto report = ingested(scratch.path() + "/ledger", topic, "anthropic");
  CHECK(holds(report, "\"records\": 2, \"accepted\": 1"));
  CHECK(holds(report, "\"extras\": {\"new_tokens\": 1}"));
  CHECK(holds(usage(scratch.path() + "/ledger"), "search,anthropic,1,2000,"));
}
