// Why: a log that is not the one that was read has to be noticed, and one that was away has to cost
// nothing. How: a real broker, topics that are cut, deleted, made anew and killed.

#include "ingest/kafka_source.h"
#include "tests/integration/kafka_reader.h"
#include "tests/kafka_broker.h"

using namespace gauger;
using namespace gauger::ingest;
using namespace gauger::tests;
using namespace std::chrono_literals;

TEST_CASE("records that were deleted before they were read are refused", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("truncated");
  create_topic(bootstrap, topic, 2);
  send(bootstrap, topic, 2, 100);
  const auto config = config_of(bootstrap, topic);
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader).has_value());
  auto stored = reader.stored();
  delete_records(bootstrap, topic, 1, 60);
  // Read already: no loss, even if the last record itself is gone.
  CHECK(read_all(config, stored).records == 0);
  stored[1] = {1, 60, 59, 0};
  CHECK(read_all(config, stored).records == 40);
  stored[1] = {1, 50, 49, 0};
  const auto error = refusal_of(config, stored);
  CHECK(contains(error, "partition 1"));
  CHECK(contains(error, "goes on at offset 50, but the log begins at 60"));
  CHECK(contains(error, "10 offsets were deleted before they were read"));
}

TEST_CASE("a log that is cut off while it is read stops the intake", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("cut");
  create_topic(bootstrap, topic, 1, {{"segment.bytes", "1048576"}});
  KafkaProducerConfig producing;
  producing.connection.brokers = bootstrap;
  producing.connection.properties = {{"compression.codec", "none"}, {"batch.size", "100000"}};
  producing.topic = topic;
  auto producer = KafkaProducer::connect(producing).value();
  const std::string value(10'000, 'x');
  const std::vector<KafkaRecord> records(2000, KafkaRecord{value, 0, {}});
  REQUIRE(producer->send(records).has_value());
  REQUIRE(producer->flush(20s).has_value());
  auto config = config_of(bootstrap, topic);
  config.queue_bytes_max = 2U << 20;  // holds a tenth of the topic
  config.connection.properties = {{"fetch.message.max.bytes", "100000"}};
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader, 1).has_value());
  delete_records(bootstrap, topic, 0, 2000);
  const auto done = read(*source, reader);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == ErrorCode::refused);
  CHECK(contains(done.error(), "but the log begins at 2000"));
  CHECK(reader.records < 1000);
}

TEST_CASE("a topic that was made anew is refused", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("anew");
  create_topic(bootstrap, topic, 2);
  send(bootstrap, topic, 2, 100);
  const auto config = config_of(bootstrap, topic);
  const auto stored = read_all(config).stored();
  delete_topic(bootstrap, topic);
  CHECK(KafkaSource::connect(config).error().code == ErrorCode::not_found);
  create_topic(bootstrap, topic, 2);
  CHECK(contains(refusal_of(config, stored),
                 "the ledger goes on at offset 100, but the log ends at 0"));
  send(bootstrap, topic, 2, 99, 1000);
  CHECK(contains(refusal_of(config, stored), "but the log ends at 99"));
  send(bootstrap, topic, 2, 200, 2000);
  CHECK(contains(refusal_of(config, stored), "offset 99 holds another record"));
}

TEST_CASE("a record that has become a marker shows a topic made anew", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("marker");
  create_topic(bootstrap, topic, 1);
  KafkaTransaction transaction(bootstrap, topic);
  transaction.send(topic, 0, "a");
  transaction.commit();
  const auto config = config_of(bootstrap, topic);
  wait_for_marker(config, 2);
  send(bootstrap, topic, 1, 10);
  CHECK(contains(refusal_of(config, {{0, 2, 1, 7}}), "a record of offset 1, where there is none"));
}

TEST_CASE("a topic with another number of partitions is refused", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("partitions");
  create_topic(bootstrap, topic, 2);
  send(bootstrap, topic, 2, 10);
  auto config = config_of(bootstrap, topic);
  const auto stored = read_all(config).stored();
  config.until_end = false;
  config.look_interval = 200ms;
  auto running = KafkaSource::connect(config).value();
  REQUIRE(running->start(stored).has_value());
  add_partitions(bootstrap, topic, 3);
  CHECK(contains(refusal_of(config, stored), "the ledger has read 2, the topic has 3"));
  CHECK(contains(failure_of(*running), "partition count changed"));
}

TEST_CASE("a topic that is deleted while it is read stops the intake", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("gone");
  create_topic(bootstrap, topic, 1);
  send(bootstrap, topic, 1, 10);
  auto config = config_of(bootstrap, topic);
  config.until_end = false;
  config.look_interval = 200ms;
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader, 10).has_value());
  delete_topic(bootstrap, topic);
  CHECK(contains(failure_of(*source), "the topic is gone from the cluster"));
}

TEST_CASE("a topic that is made anew while it is read stops the intake", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("swapped");
  create_topic(bootstrap, topic, 1);
  send(bootstrap, topic, 1, 10);
  auto config = config_of(bootstrap, topic);
  config.until_end = false;
  config.look_interval = 200ms;
  config.recheck_interval = 500ms;
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader, 10).has_value());
  delete_topic(bootstrap, topic);
  create_topic(bootstrap, topic, 1);
  // Longer than before: the fetcher finds its offset in the new log and would just go on.
  send(bootstrap, topic, 1, 50, 1000);
  CHECK(failure_of(*source).code == ErrorCode::refused);
}

TEST_CASE("a broker killed and started again costs no record", "[integration][kafka]") {
  KafkaBroker broker;
  const auto topic = topic_name("restart");
  create_topic(broker.bootstrap(), topic, 2);
  KafkaProducerConfig producing;
  producing.connection.brokers = broker.bootstrap();
  producing.topic = topic;
  auto producer = KafkaProducer::connect(producing).value();
  const auto produce = [&](int first, int count) {
    for (int i = first; i < first + count; ++i)
      for (int p = 0; p < 2; ++p) {
        const auto value = value_of(p, i);
        const KafkaRecord record{value, p, {}};
        REQUIRE(producer->send({&record, 1}).has_value());
      }
  };
  produce(0, 5000);
  auto config = config_of(broker.bootstrap(), topic);
  config.until_end = false;
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader, 1000).has_value());
  broker.kill();
  produce(5000, 5000);
  CHECK(read(*source, reader, SIZE_MAX, 1s).has_value());  // waits, and does not fail
  broker.start();
  REQUIRE(producer->flush(60s).has_value());
  REQUIRE(read(*source, reader, 20000 - reader.records, 60s).has_value());
  for (uint32_t p = 0; p < 2; ++p) {
    REQUIRE(reader.values[p].size() == 10000);
    for (int i = 0; i < 10000; ++i)
      REQUIRE(reader.values[p][static_cast<size_t>(i)] == value_of(static_cast<int>(p), i));
  }
}
