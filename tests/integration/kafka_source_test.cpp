// Why: the ledger is exact only if every record of the log reaches it once. How: a real broker,
// topics of each test's own, and a reader that keeps what a ledger would.
#include "ingest/kafka_source.h"

#include <algorithm>
#include <random>
#include <thread>

#include "tests/integration/kafka_reader.h"
#include "tests/kafka_broker.h"

using namespace gauger;
using namespace gauger::ingest;
using namespace gauger::tests;
using namespace std::chrono_literals;

TEST_CASE("a new ledger reads a topic from its beginning to its end", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("whole");
  create_topic(bootstrap, topic, 4);
  send(bootstrap, topic, 4, 5000);
  const auto reader = read_all(config_of(bootstrap, topic));
  CHECK(reader.records == 20000);
  for (int p = 0; p < 4; ++p) {
    const auto& values = reader.values.at(static_cast<uint32_t>(p));
    REQUIRE(values.size() == 5000);
    for (int i = 0; i < 5000; ++i) REQUIRE(values[static_cast<size_t>(i)] == value_of(p, i));
  }
}

TEST_CASE("an empty topic ends at once and names all its partitions", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("empty");
  create_topic(bootstrap, topic, 3);
  auto source = KafkaSource::connect(config_of(bootstrap, topic)).value();
  REQUIRE(source->partitions().size() == 3);
  CHECK(source->partitions()[2].partition == 2);
  CHECK(source->partitions()[2].source.starts_with("kafka:"));
  CHECK(source->partitions()[2].source.ends_with("/" + topic));
  REQUIRE(source->start({}).has_value());
  RecordBatch batch;
  REQUIRE(source->poll(batch, 10, 1000, 10s).has_value());
  CHECK(batch.at_end);
  CHECK(batch.records.empty());
  REQUIRE(batch.positions.size() == 3);
  CHECK(batch.positions[1].next_offset == 0);
}

TEST_CASE("reading goes on where the ledger stands", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("resume");
  create_topic(bootstrap, topic, 2);
  send(bootstrap, topic, 2, 1000);
  const auto config = config_of(bootstrap, topic);
  Reader reader;
  int starts = 0;
  while (reader.records < 2000) {
    auto source = KafkaSource::connect(config).value();
    REQUIRE(source->start(reader.stored()).has_value());
    REQUIRE(read(*source, reader, 333).has_value());
    ++starts;
  }
  CHECK(starts == 7);
  for (uint32_t p = 0; p < 2; ++p) {
    REQUIRE(reader.values[p].size() == 1000);
    for (int i = 0; i < 1000; ++i)
      REQUIRE(reader.values[p][static_cast<size_t>(i)] == value_of(static_cast<int>(p), i));
  }
  CHECK(read_all(config, reader.stored()).records == 0);
  send(bootstrap, topic, 2, 5, 1000);
  CHECK(read_all(config, reader.stored()).records == 10);
}

TEST_CASE("stored records are found again in long logs", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("long");
  constexpr int partitions = 12;
  constexpr size_t count = 30'000;
  constexpr size_t last = 15'000;
  create_topic(bootstrap, topic, partitions);
  KafkaProducerConfig producing;
  producing.connection.brokers = bootstrap;
  producing.topic = topic;
  auto producer = KafkaProducer::connect(producing).value();
  // Several batches of the largest size in every partition: one of them fills a broker's answer.
  // They do not compress.
  std::mt19937_64 random(1);
  std::string bytes(1U << 20, ' ');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  const auto value_at = [&](size_t i) { return std::string_view(bytes).substr(i * 29, 300); };
  std::vector<KafkaRecord> records;
  for (int p = 0; p < partitions; ++p)
    for (size_t i = 0; i < count; ++i) records.push_back({value_at(i), p, {}});
  REQUIRE(producer->send(records).has_value());
  REQUIRE(producer->flush(60s).has_value());
  std::vector<KafkaPosition> stored;
  for (int p = 0; p < partitions; ++p)
    stored.push_back({p, last + 1, last, ledger::hash64(value_at(last))});
  // A quarter of a second is what it takes; a busy machine may need more than one attempt.
  auto config = config_of(bootstrap, topic);
  config.connection.timeout = 1s;
  bool started = false;
  for (int attempt = 0; attempt < 3 && !started; ++attempt)
    started = KafkaSource::connect(config).value()->start(stored).has_value();
  CHECK(started);
  CHECK(read_all(config_of(bootstrap, topic), stored).records == partitions * (count - last - 1));
}

TEST_CASE("a batch keeps its limits and outlives its source", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("limits");
  create_topic(bootstrap, topic, 1);
  send(bootstrap, topic, 1, 100);
  auto source = KafkaSource::connect(config_of(bootstrap, topic)).value();
  REQUIRE(source->start({}).has_value());
  std::vector<RecordBatch> batches(1);
  while (batches.back().records.empty())
    REQUIRE(source->poll(batches.back(), 7, 1U << 20, 5s).has_value());
  CHECK(batches[0].records.size() <= 7);
  size_t records = batches[0].records.size();
  while (records < 100) {
    auto& batch = batches.emplace_back();
    // Two records of 10 or 11 bytes fit; the third begins the next batch.
    REQUIRE(source->poll(batch, 1000, 25, 5s).has_value());
    CHECK(batch.records.size() <= 2);
    CHECK(batch.bytes <= 25);
    records += batch.records.size();
  }
  // A record larger than the batch comes alone.
  source.reset();
  CHECK(records == 100);
  int number = 0;
  for (const auto& batch : batches)
    for (const auto& record : batch.records) CHECK(record.bytes == value_of(0, number++));
}

TEST_CASE("a record larger than a batch comes alone", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("large");
  create_topic(bootstrap, topic, 1);
  send(bootstrap, topic, 1, 3);
  auto source = KafkaSource::connect(config_of(bootstrap, topic)).value();
  REQUIRE(source->start({}).has_value());
  size_t records = 0;
  for (int polls = 0; polls < 100 && records < 3; ++polls) {
    RecordBatch batch;
    REQUIRE(source->poll(batch, 1000, 1, 200ms).has_value());
    CHECK(batch.records.size() <= 1);
    records += batch.records.size();
  }
  CHECK(records == 3);
}

TEST_CASE("markers and aborted records are gaps, not records", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("transactions");
  create_topic(bootstrap, topic, 1);
  const auto config = config_of(bootstrap, topic);
  const auto transact = [&](const char* value, bool commits, int64_t end) {
    KafkaTransaction transaction(bootstrap, topic);
    transaction.send(topic, 0, value);
    commits ? transaction.commit() : transaction.abort();
    wait_for_marker(config, end);
  };
  transact("first", true, 2);     // offset 0, marker 1
  transact("aborted", false, 4);  // 2, 3
  transact("second", true, 6);    // 4, 5
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader).has_value());
  CHECK(reader.values[0] == std::vector<std::string>{"first", "second"});
  CHECK(reader.positions[0].next_offset == 6);
  CHECK(reader.positions[0].record_offset == 4);
  CHECK(source->stats().gap_offsets == 4);
  CHECK(source->end_offsets().value() == std::vector<int64_t>{6});
  // The record before the position is a marker; the last record is the one that is checked.
  CHECK(read_all(config, reader.stored()).records == 0);
  auto other = reader.stored();
  other[0].record_hash ^= 1;
  CHECK(contains(refusal_of(config, other), "offset 4 holds another record"));
}

TEST_CASE("an open transaction holds back completeness but not the end", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("open");
  create_topic(bootstrap, topic, 1);
  send(bootstrap, topic, 1, 3);
  KafkaTransaction transaction(bootstrap, topic);
  transaction.send(topic, 0, "later");
  auto config = config_of(bootstrap, topic);
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader, SIZE_MAX, 10s).has_value());
  CHECK(reader.records == 3);
  CHECK(reader.positions[0].next_offset == 3);
  CHECK(source->end_offsets().value() == std::vector<int64_t>{4});
  transaction.commit();
  // The broker answers before it has written the marker that lets the record be read.
  auto rest = read_all(config, reader.stored());
  for (int tries = 0; tries < 100 && rest.records == 0; ++tries)
    rest = read_all(config, reader.stored());
  CHECK(rest.records == 1);
  CHECK(rest.positions[0].next_offset == 5);
}

TEST_CASE("compacted records are gaps", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("compacted");
  create_topic(bootstrap, topic, 1,
               {{"cleanup.policy", "compact"},
                {"segment.bytes", "1000"},
                {"min.cleanable.dirty.ratio", "0.001"},
                {"min.compaction.lag.ms", "0"},
                {"max.compaction.lag.ms", "100"}});
  KafkaProducerConfig producing;
  producing.connection.brokers = bootstrap;
  producing.connection.properties = {{"linger.ms", "0"}, {"batch.num.messages", "1"}};
  producing.topic = topic;
  auto producer = KafkaProducer::connect(producing).value();
  for (int i = 0; i < 200; ++i) {
    const auto key = "key " + std::to_string(i % 5);
    const KafkaRecord record{"value", 0, key};
    REQUIRE(producer->send({&record, 1}).has_value());
  }
  REQUIRE(producer->flush(20s).has_value());
  // The cleaner of the broker works in its own time.
  auto config = config_of(bootstrap, topic);
  Reader reader;
  KafkaStats stats;
  for (int tries = 0; tries < 100 && stats.gap_offsets == 0; ++tries) {
    std::this_thread::sleep_for(200ms);
    reader = {};
    auto source = KafkaSource::connect(config).value();
    REQUIRE(source->start({}).has_value());
    REQUIRE(read(*source, reader).has_value());
    stats = source->stats();
  }
  CHECK(stats.gap_offsets > 0);
  CHECK(reader.records + stats.gap_offsets == 200);
  CHECK(reader.positions[0].next_offset == 200);
  // A stored record that compaction took is no reason to stop.
  auto stored = reader.stored();
  stored[0] = {0, 3, 2, 12345};
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start(stored).has_value());
  CHECK(source->stats().unchecked_partitions == 1);
}

TEST_CASE("records without a value are passed over, empty ones are not", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("null");
  create_topic(bootstrap, topic, 1);
  KafkaProducerConfig producing;
  producing.connection.brokers = bootstrap;
  producing.topic = topic;
  auto producer = KafkaProducer::connect(producing).value();
  REQUIRE(producer->send({{}, 0, "key"}, std::nullopt, {}).has_value());
  REQUIRE(producer->send({{}, 0, "key"}, "", {}).has_value());
  REQUIRE(producer->send({{}, 0, "key"}, std::nullopt, {}).has_value());
  REQUIRE(producer->flush(20s).has_value());
  auto source = KafkaSource::connect(config_of(bootstrap, topic)).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader).has_value());
  CHECK(reader.values[0] == std::vector<std::string>{""});
  CHECK(reader.positions[0].record_offset == 1);
  CHECK(reader.positions[0].next_offset == 3);
  CHECK(source->stats().null_values == 2);
}

TEST_CASE("headers travel with their records when they are asked for", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("headers");
  create_topic(bootstrap, topic, 1);
  KafkaProducerConfig producing;
  producing.connection.brokers = bootstrap;
  producing.topic = topic;
  auto producer = KafkaProducer::connect(producing).value();
  const std::vector<RecordHeader> headers = {{"content-type", "application/protobuf"},
                                             {"ce_id", "7"}};
  REQUIRE(producer->send({}, "plain", {}).has_value());
  REQUIRE(producer->send({}, "with", headers).has_value());
  REQUIRE(producer->flush(20s).has_value());
  auto config = config_of(bootstrap, topic);
  config.headers = GENERATE(false, true);
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  // With the smaller one the second record does not fit behind the first, and waits.
  const auto bytes_max = GENERATE(size_t{1000}, size_t{7});
  std::vector<RecordHeader> found;
  RecordBatch batch;
  for (int polls = 0; polls < 100 && !batch.at_end; ++polls) {
    batch.clear();
    REQUIRE(source->poll(batch, 10, bytes_max, 200ms).has_value());
    for (const auto& record : batch.records)
      for (uint32_t i = 0; i < record.headers_count; ++i) {
        const auto& header = batch.headers[record.headers_begin + i];
        CHECK(record.bytes == "with");
        CHECK(header.name == headers[found.size()].name);
        CHECK(header.value == headers[found.size()].value);
        found.push_back(headers[found.size()]);
      }
  }
  CHECK(found.size() == (config.headers ? 2 : 0));
}

TEST_CASE("positions are published where a group is configured", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("group");
  create_topic(bootstrap, topic, 2);
  send(bootstrap, topic, 2, 10);
  auto config = config_of(bootstrap, topic);
  config.group_id = topic;
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader).has_value());
  CHECK(committed_offsets(bootstrap, topic, topic, 2) == std::vector<int64_t>{-1001, -1001});
  const std::vector<int64_t> durable = {10, 7};
  // The coordinator has to be found first; advice may be given again.
  for (int tries = 0; tries < 50; ++tries) {
    static_cast<void>(source->commit(durable));
    RecordBatch batch;
    REQUIRE(source->poll(batch, 10, 1000, 100ms).has_value());
    if (committed_offsets(bootstrap, topic, topic, 2) == durable) break;
  }
  CHECK(committed_offsets(bootstrap, topic, topic, 2) == durable);
  // The last one is not lost when the source ends right behind it.
  const std::vector<int64_t> last = {10, 8};
  REQUIRE(source->commit(last).has_value());
  source.reset();
  CHECK(committed_offsets(bootstrap, topic, topic, 2) == last);
  // They are advice: reading starts where the ledger stands.
  CHECK(read_all(config).records == 20);
  config.group_id.clear();
  auto alone = KafkaSource::connect(config).value();
  REQUIRE(alone->start({}).has_value());
  CHECK(alone->commit(durable).has_value());
}

TEST_CASE("lag and ends are told while a topic is read", "[integration][kafka]") {
  const auto bootstrap = kafka_bootstrap();
  const auto topic = topic_name("lag");
  create_topic(bootstrap, topic, 1);
  send(bootstrap, topic, 1, 1000);
  auto source = KafkaSource::connect(config_of(bootstrap, topic)).value();
  REQUIRE(source->start({}).has_value());
  Reader reader;
  REQUIRE(read(*source, reader, 100).has_value());
  auto stats = source->stats();
  CHECK(stats.partitions.at(0).end_offset == 1000);
  CHECK(stats.lag == 1000 - stats.partitions.at(0).next_offset);
  CHECK(stats.lag > 0);
  REQUIRE(read(*source, reader).has_value());
  CHECK(source->stats().lag == 0);
  send(bootstrap, topic, 1, 5);
  CHECK(source->end_offsets().value() == std::vector<int64_t>{1005});
}
