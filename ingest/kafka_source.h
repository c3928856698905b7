// Records from one Kafka topic, from where the ledger stands. All partitions are read, each
// from the offset that the ledger gives; no consumer group decides anything.
//
//   TRY(auto source, KafkaSource::connect(config));   // names the partitions
//   TRY(source->start(positions_of(ledger, source->partitions())));
//   while (...) TRY(source->poll(batch, ...));
//
// Invariants
// - The slot of a record is its partition's number.
// - Offsets of a partition rise. Every offset between two records of a partition was seen to
//   hold no record for us: a transaction's marker, an aborted or compacted record, a null value.
// - The first batch names the position of every partition, empty ones too: stored with it, they
//   tell the next start how many partitions the ledger has read.
// - What would leave records out stops the intake with `refused` and a sentence, at start and
//   while reading: a log cut off at either end, a topic deleted, made anew or re-partitioned.
//   Brokers that are away are waited for.
//
// Threads: poll, commit and start belong to one thread; end_offsets and stats to any. Batches
// may outlive the source and be released on any thread.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ingest/kafka_connection.h"
#include "ingest/kafka_position.h"
#include "ingest/source.h"
#include "schemas/result.h"

namespace gauger::ingest {

struct KafkaConfig {
  KafkaConnection connection;
  std::string topic;
  // Where commit() publishes positions for lag monitors; without one nothing is published.
  std::string group_id;
  // End with at_end when everything is read that could be read at start. Records of a
  // transaction that was open then are not waited for.
  bool until_end = false;
  // Fill RecordBatch::headers; costs a copy of each.
  bool headers = false;
  // Memory for records that were fetched and not yet polled. The batches come on top.
  size_t queue_bytes_max = 128U << 20;
  std::chrono::milliseconds look_interval{5'000};
  std::chrono::milliseconds recheck_interval{30'000};
};

struct KafkaPartitionStats {
  int64_t next_offset = 0;
  int64_t end_offset = -1;  // after the last record of the log as last heard, -1 before that
};

struct KafkaStats {
  std::vector<KafkaPartitionStats> partitions;
  int64_t lag = 0;                  // offsets not read yet, over all partitions
  uint64_t gap_offsets = 0;         // held no record: markers, aborted, compacted
  uint64_t null_values = 0;         // tombstones, passed over
  uint64_t empty_polls_behind = 0;  // polls that brought nothing although there was lag
  uint64_t fetcher_wakes = 0;
  uint64_t broker_errors = 0;         // librdkafka went on after them
  uint64_t unchecked_partitions = 0;  // whose last stored record is gone from the log
  std::string last_complaint;         // of librdkafka
};

class KafkaSource final : public Source {
 public:
  // Reaches the cluster and finds the topic.
  static Result<std::unique_ptr<KafkaSource>> connect(KafkaConfig config);
  ~KafkaSource() override;

  // Begins at the ledger's positions, one per partition in any order, after checking them
  // against the topic; at the beginning of the log if there are none.
  Result<void> start(std::span<const KafkaPosition> stored);

  const std::vector<PartitionName>& partitions() const override;
  // at_end is only ever set with `until_end`.
  Result<void> poll(RecordBatch& batch, size_t records_max, size_t bytes_max,
                    std::chrono::milliseconds wait) override;

  // Publishes, per slot, the offset that the ledger holds durably. Advisory: nobody waits for
  // it or reads it back here.
  Result<void> commit(std::span<const int64_t> next_offsets);

  // Asks the cluster now where each partition ends, records of open transactions included. A
  // partition whose position reaches the answer is complete for the time of the question.
  Result<std::vector<int64_t>> end_offsets() const override;

  KafkaStats stats() const;

 private:
  struct Impl;
  explicit KafkaSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::ingest
