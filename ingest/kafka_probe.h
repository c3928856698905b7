// Questions about one topic, asked beside the stream of records: does it exist, how many
// partitions has it, where does its log begin and end, and does it still hold what the ledger
// stored? The last one is how a topic that was made anew is told from the one that was read:
// librdkafka 2.0 knows neither topic ids nor leader epochs. Private to ingest/.
// Threads: the ask_ functions may be called from any thread, check_records from one at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/kafka_client.h"
#include "ingest/kafka_connection.h"
#include "ingest/kafka_position.h"
#include "schemas/result.h"

namespace gauger::ingest {

class KafkaProbe {
 public:
  // Reaches the cluster and finds the topic; not_found where it does not exist.
  static Result<std::unique_ptr<KafkaProbe>> connect(const KafkaConnection& connection,
                                                     const std::string& topic);

  // How long each further question may take; the connection's own timeout otherwise.
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

  const std::string& name() const { return name_; }             // "kafka:<cluster id>/<topic>"
  int32_t partition_count() const { return partition_count_; }  // when it was connected

  // not_found: the cluster answers that there is no such topic.
  Result<int32_t> ask_partition_count() const;

  // First offset of the log, and the offset after its last record, open transactions included.
  struct Log {
    int64_t begin = 0;
    int64_t end = 0;
  };
  Result<std::vector<Log>> ask_logs() const;  // by partition

  // Refuses a topic that has more or fewer partitions than the ledger has read.
  Result<void> check_partition_count(size_t known, int32_t found) const;
  // Refuses a ledger whose next record is gone, or that is ahead of the log.
  Result<void> check_offset(int32_t partition, int64_t next_offset, const Log& log) const;
  // Refuses a topic that holds other records at the stored offsets than the ledger does.
  // Answers how many partitions could not be checked, since retention or compaction had taken
  // the record away.
  Result<size_t> check_records(std::span<const KafkaPosition> positions) const;

  // An error about this topic, or one of its partitions.
  Error refused(std::string_view why) const;
  Error refused(int32_t partition, std::string_view why) const;

 private:
  KafkaProbe(std::shared_ptr<KafkaClient> client, KafkaTopic topic, std::string topic_name)
      : client_(std::move(client)),
        topic_(std::move(topic)),
        topic_name_(std::move(topic_name)),
        timeout_(client_->connection().timeout) {}
  int timeout_ms() const { return static_cast<int>(timeout_.count()); }
  Result<void> compare(std::vector<KafkaPosition>& waiting, rd_kafka_queue_t* queue,
                       size_t& unchecked) const;
  Result<void> check_absent(const KafkaPosition& position) const;
  Result<bool> ask_compacted() const;

  std::shared_ptr<KafkaClient> client_;
  KafkaTopic topic_;
  std::string topic_name_;
  std::chrono::milliseconds timeout_;
  std::string name_;
  int32_t partition_count_ = 0;
};

}  // namespace gauger::ingest
