// A reader that keeps of a topic what a ledger would, and the shortest way to send to one.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "ingest/kafka_producer.h"
#include "ingest/kafka_source.h"
#include "ledger/hash.h"
#include "tests/catch.h"

namespace gauger::tests {

using namespace gauger::ingest;
using namespace std::chrono_literals;

inline KafkaConfig config_of(const std::string& bootstrap, const std::string& topic) {
  KafkaConfig config;
  config.connection.brokers = bootstrap;
  config.topic = topic;
  config.until_end = true;
  return config;
}

inline std::string value_of(int partition, int number) {
  return "record " + std::to_string(partition) + "/" + std::to_string(number);
}

// Sends `count` records to each partition, numbered from `first`.
inline void send(const std::string& bootstrap, const std::string& topic, int partitions, int count,
                 int first = 0) {
  KafkaProducerConfig config;
  config.connection.brokers = bootstrap;
  config.topic = topic;
  auto producer = KafkaProducer::connect(config).value();
  std::vector<std::string> values;
  for (int p = 0; p < partitions; ++p)
    for (int i = first; i < first + count; ++i) values.push_back(value_of(p, i));
  std::vector<KafkaRecord> records;
  for (size_t i = 0; i < values.size(); ++i)
    records.push_back({values[i], static_cast<int32_t>(i / static_cast<size_t>(count)), {}});
  REQUIRE(producer->send(records).has_value());
  REQUIRE(producer->flush(20s).has_value());
}

// What a ledger keeps of what it reads.
struct Reader {
  std::vector<KafkaPosition> positions;
  std::map<uint32_t, std::vector<std::string>> values;
  size_t records = 0;

  void take(const RecordBatch& batch) {
    for (const auto& record : batch.records) {
      auto& position = at(record.partition);
      REQUIRE(record.offset >= position.next_offset);
      position.next_offset = record.offset + 1;
      position.record_offset = record.offset;
      position.record_hash = ledger::hash64(record.bytes);
      values[record.partition].emplace_back(record.bytes);
      ++records;
    }
    for (const auto& moved : batch.positions) {
      auto& position = at(moved.partition);
      REQUIRE(moved.next_offset >= position.next_offset);
      position.next_offset = moved.next_offset;
    }
  }
  KafkaPosition& at(uint32_t slot) {
    while (positions.size() <= slot)
      positions.push_back({static_cast<int32_t>(positions.size()), 0, -1, 0});
    return positions[slot];
  }
  std::vector<KafkaPosition> stored() const { return positions; }
};

// Polls until the end, an error, or `records_max` records of this call.
inline Result<void> read(KafkaSource& source, Reader& reader, size_t records_max = SIZE_MAX,
                         std::chrono::seconds patience = 30s) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto first = reader.records;
  RecordBatch batch;
  while (!batch.at_end && reader.records - first < records_max &&
         std::chrono::steady_clock::now() < deadline) {
    batch.clear();
    TRY(source.poll(batch, std::min<size_t>(1000, records_max), 1U << 20, 200ms));
    reader.take(batch);
  }
  return success();
}

inline Reader read_all(const KafkaConfig& config, const std::vector<KafkaPosition>& stored = {}) {
  auto source = KafkaSource::connect(config).value();
  REQUIRE(source->start(stored).has_value());
  Reader reader;
  reader.positions = stored;
  const auto done = read(*source, reader);
  REQUIRE(done.has_value());
  return reader;
}

// The broker answers the end of a transaction before its marker lies in the log. What is sent
// meanwhile would come before the marker.
inline void wait_for_marker(const KafkaConfig& config, int64_t next_offset) {
  for (int tries = 0; tries < 200; ++tries) {
    auto reader = read_all(config);
    if (reader.at(0).next_offset >= next_offset) return;
    std::this_thread::sleep_for(50ms);
  }
  FAIL("no marker within ten seconds");
}

inline Error refusal_of(const KafkaConfig& config, const std::vector<KafkaPosition>& stored) {
  auto source = KafkaSource::connect(config).value();
  const auto started = source->start(stored);
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().code == ErrorCode::refused);
  return started.error();
}

// The error that ends a running source, within a minute.
inline Error failure_of(KafkaSource& source) {
  Reader reader;
  for (const auto& name : source.partitions()) reader.at(static_cast<uint32_t>(name.partition));
  const auto done = read(source, reader, SIZE_MAX, 60s);
  REQUIRE_FALSE(done.has_value());
  // It does not go on afterwards.
  RecordBatch batch;
  CHECK_FALSE(source.poll(batch, 10, 1000, 0ms).has_value());
  return done.error();
}

inline bool contains(const Error& error, std::string_view part) {
  const bool found = error.sentence.find(part) != std::string::npos;
  if (!found) WARN(error.sentence);
  return found;
}

}  // namespace gauger::tests
