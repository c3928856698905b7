// Records into one Kafka topic: what `gauger-load produce` and the tests send with. Idempotent
// and acknowledged by all replicas, so that every record arrives once, in the order in which
// it was sent to its partition.
//
// Used from one thread. The queue is bounded by bytes; a full one makes send() wait.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingest/decoder.h"
#include "ingest/kafka_connection.h"
#include "schemas/result.h"

namespace gauger::ingest {

struct KafkaProducerConfig {
  KafkaConnection connection;
  std::string topic;
  size_t queue_bytes_max = 256U << 20;
};

// What is sent; the bytes are copied.
struct KafkaRecord {
  std::string_view value;
  int32_t partition = 0;
  std::string_view key;  // none if empty
};

class KafkaProducer {
 public:
  // Partition of a record whose key shall choose it.
  static constexpr int32_t by_key = -1;

  // Reaches the cluster and finds the topic; not_found where it does not exist.
  static Result<std::unique_ptr<KafkaProducer>> connect(KafkaProducerConfig config);
  // The same, making the topic first if it does not exist; `conflict` if it has another number
  // of partitions. Settings are the topic's own, such as cleanup.policy.
  static Result<std::unique_ptr<KafkaProducer>> create(KafkaProducerConfig config,
                                                       int32_t partitions,
                                                       const KafkaProperties& settings = {});
  ~KafkaProducer();  // drops what was not flushed

  int32_t partition_count() const;

  // An error is the first record's that could not be delivered, or of one that never can be.
  Result<void> send(std::span<const KafkaRecord> records);
  // One record with headers; no value at all is a tombstone.
  Result<void> send(const KafkaRecord& record, std::optional<std::string_view> value,
                    std::span<const RecordHeader> headers);
  // Waits until everything that was sent is acknowledged.
  Result<void> flush(std::chrono::milliseconds timeout);

 private:
  struct Impl;
  explicit KafkaProducer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::ingest
