// Why: some answers of a broker cannot be had from a real one at will. How: librdkafka's mock
// cluster, with the answer pushed in. It keeps 5 MiB per partition: a test tool only.
#include "ingest/kafka_source.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <thread>

#include "ingest/kafka_producer.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ingest;
using namespace std::chrono_literals;

namespace {

constexpr int16_t fetch_request = 1;
constexpr int16_t produce_request = 0;
constexpr auto topic = "usage";

class Mock {
 public:
  explicit Mock(int partitions = 1) {
    auto* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "1", nullptr, 0);
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    cluster = rd_kafka_mock_cluster_new(owner_, 2);
    REQUIRE(rd_kafka_mock_topic_create(cluster, topic, partitions, 1) == 0);
  }
  ~Mock() {
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(owner_);
  }
  Mock(const Mock&) = delete;
  Mock& operator=(const Mock&) = delete;

  KafkaConnection connection() const {
    KafkaConnection connection;
    connection.brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    connection.timeout = 5s;
    return connection;
  }

  KafkaConfig config() const {
    KafkaConfig config;
    config.connection = connection();
    // The mock answers an empty fetch only after the whole wait.
    config.connection.properties = {{"fetch.wait.max.ms", "10"}};
    config.topic = topic;
    config.until_end = true;
    return config;
  }

  void send(int count) const {
    auto producer = KafkaProducer::connect({connection(), topic}).value();
    for (int i = 0; i < count; ++i) {
      const auto value = std::to_string(i);
      const KafkaRecord record{value, 0, {}};
      REQUIRE(producer->send({&record, 1}).has_value());
    }
    REQUIRE(producer->flush(10s).has_value());
  }

  template <class... Codes>
  void answer(int16_t request, Codes... codes) const {
    const std::array list = {codes...};
    rd_kafka_mock_push_request_errors_array(cluster, request, list.size(), list.data());
  }

  rd_kafka_mock_cluster_t* cluster;

 private:
  rd_kafka_t* owner_;
};

std::unique_ptr<KafkaSource> started(const KafkaConfig& config) {
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  return source;
}

// Reads to the end, or to the error.
Result<int> count_records(KafkaSource& source) {
  int count = 0;
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  RecordBatch batch;
  while (!batch.at_end && std::chrono::steady_clock::now() < deadline) {
    batch.clear();
    if (const auto polled = source.poll(batch, 100, 1U << 20, 100ms); !polled) {
      UNSCOPED_INFO(polled.error().sentence);
      return polled.error();
    }
    for (const auto& record : batch.records) CHECK(record.bytes == std::to_string(count++));
  }
  CHECK(batch.at_end);
  return count;
}

}  // namespace

TEST_CASE("a Kafka source says which setting cannot be meant", "[ingest]") {
  KafkaConfig config;
  config.topic = topic;
  const auto sentence = [&] {
    const auto source = KafkaSource::connect(config);
    REQUIRE_FALSE(source.has_value());
    CHECK(source.error().code == ErrorCode::invalid_argument);
    return source.error().sentence;
  };
  CHECK(sentence() == "kafka brokers are missing: host:port, comma-separated");
  config.connection.brokers = "127.0.0.1:1";
  config.connection.properties = {{"no.such.thing", "1"}};
  CHECK(sentence().find("no.such.thing") != std::string::npos);
  config.connection.properties = {{"fetch.wait.max.ms", "often"}};
  CHECK(sentence().find("fetch.wait.max.ms") != std::string::npos);
  for (const auto* reserved :
       {"auto.offset.reset", "enable.auto.commit", "group.id", "bootstrap.servers"}) {
    config.connection.properties = {{reserved, "latest"}};
    CHECK(sentence() ==
          "kafka property " + std::string(reserved) + " is set by Gauger and cannot be given");
  }
  config.connection.properties.clear();
  config.topic.clear();
  CHECK(sentence() == "the kafka topic's name is missing");
  config.topic = topic;
  config.queue_bytes_max = 1;
  CHECK(sentence().find("queue_bytes_max is 1") != std::string::npos);
}

TEST_CASE("brokers that cannot be reached are named with the reason", "[ingest]") {
  KafkaConfig config;
  config.connection.brokers = "127.0.0.1:1";
  config.connection.timeout = 300ms;
  config.topic = topic;
  const auto source = KafkaSource::connect(config);
  REQUIRE_FALSE(source.has_value());
  CHECK(source.error().code == ErrorCode::unavailable);
  CHECK(source.error().sentence.find("127.0.0.1:1") != std::string::npos);
  INFO(source.error().sentence);
  CHECK(source.error().sentence.find("refused") != std::string::npos);
}

TEST_CASE("a topic that does not exist is named", "[ingest]") {
  const Mock mock;
  auto config = mock.config();
  config.topic = "no-such-topic";
  // The mock makes topics as they are asked for; a real broker says this by itself.
  rd_kafka_mock_topic_set_error(mock.cluster, "no-such-topic",
                                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const auto source = KafkaSource::connect(config);
  REQUIRE_FALSE(source.has_value());
  CHECK(source.error().code == ErrorCode::not_found);
  CHECK(source.error().sentence.find("there is no topic 'no-such-topic'") != std::string::npos);
}

TEST_CASE("troubles of a broker that pass cost no record", "[ingest]") {
  const Mock mock;
  mock.send(100);
  mock.answer(fetch_request, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
              RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
              RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const auto source = started(mock.config());
  const auto count = count_records(*source);
  REQUIRE(count.has_value());
  CHECK(count.value() == 100);
}

TEST_CASE("a partition that moves to another broker costs no record", "[ingest]") {
  const Mock mock;
  rd_kafka_mock_partition_set_leader(mock.cluster, topic, 0, 1);
  mock.send(100);
  auto config = mock.config();
  const auto source = started(config);
  rd_kafka_mock_partition_set_leader(mock.cluster, topic, 0, 2);
  const auto count = count_records(*source);
  REQUIRE(count.has_value());
  CHECK(count.value() == 100);
}

TEST_CASE("a broker that denies a topic ends the intake", "[ingest]") {
  const Mock mock;
  mock.send(10);
  mock.answer(fetch_request, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
              RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const auto source = started(mock.config());
  const auto count = count_records(*source);
  REQUIRE_FALSE(count.has_value());
  CHECK(count.error().code == ErrorCode::refused);
  CHECK(count.error().sentence.find("topic 'usage' partition 0") != std::string::npos);
}

TEST_CASE("an answer that is not known to pass ends the intake", "[ingest]") {
  const Mock mock;
  mock.send(10);
  mock.answer(fetch_request, RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG);
  const auto source = started(mock.config());
  const auto count = count_records(*source);
  REQUIRE_FALSE(count.has_value());
  CHECK(count.error().code == ErrorCode::io);
}

TEST_CASE("an offset that the broker disowns is never replaced", "[ingest]") {
  const Mock mock;
  mock.send(10);
  mock.answer(fetch_request, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
  const auto source = started(mock.config());
  const auto count = count_records(*source);
  REQUIRE_FALSE(count.has_value());
  CHECK(count.error().code == ErrorCode::refused);
  CHECK(count.error().sentence.find("did not know offset 0, although its log runs from 0 to 10") !=
        std::string::npos);
}

TEST_CASE("brokers that go away for a while are waited for", "[ingest]") {
  const Mock mock;
  mock.send(10);
  const auto source = started(mock.config());
  for (const int broker : {1, 2}) rd_kafka_mock_broker_set_down(mock.cluster, broker);
  RecordBatch batch;
  for (int i = 0; i < 5; ++i) {
    batch.clear();
    REQUIRE(source->poll(batch, 1, 1000, 50ms).has_value());
    if (batch.records.empty()) CHECK_FALSE(batch.at_end);
  }
  CHECK(source->end_offsets().error().code == ErrorCode::unavailable);
  for (const int broker : {1, 2}) rd_kafka_mock_broker_set_up(mock.cluster, broker);
  auto again = started(mock.config());
  const auto count = count_records(*again);
  REQUIRE(count.has_value());
  CHECK(count.value() == 10);
}

TEST_CASE("a record that cannot be delivered is an error of the producer", "[ingest]") {
  const Mock mock;
  auto producer = KafkaProducer::connect({mock.connection(), topic}).value();
  mock.answer(produce_request, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const KafkaRecord record{"one", 0, {}};
  REQUIRE(producer->send({&record, 1}).has_value());
  const auto flushed = producer->flush(10s);
  REQUIRE_FALSE(flushed.has_value());
  CHECK(flushed.error().code == ErrorCode::refused);
  CHECK_FALSE(producer->send({&record, 1}).has_value());
}

TEST_CASE("a record over the limit is refused by the producer", "[ingest]") {
  const Mock mock;
  auto producer = KafkaProducer::connect({mock.connection(), topic}).value();
  const std::string value(2U << 20, 'x');
  const KafkaRecord record{value, 0, {}};
  CHECK_FALSE(producer->send({&record, 1}).has_value());
}
