// Messages of a topic's partitions as records, through one queue of librdkafka's. Each message is
// copied into a chunk of ours and let go at once, while it is still in the cache: kept until its
// batch is committed, it costs more to let go than to copy. Private to ingest/.
//
// Invariants
// - Offsets of a partition rise, or `take` refuses. What was passed over held no record for us.
// - A partition's position moves when its record is in a batch, not before.
//
// Threads: one thread; `fetched` from any.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/chunks.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_position.h"
#include "ingest/kafka_probe.h"
#include "ingest/source.h"
#include "schemas/result.h"

namespace gauger::ingest {

class KafkaStream {
 public:
  // Of one partition.
  struct Place {
    int64_t next_offset = 0;
    int64_t reported_offset = -1;  // the position that the batches so far imply
    // The last record of the batch that is being filled; its bytes are the batch's.
    int64_t last_offset = -1;
    std::string_view last_value;
  };
  struct Counts {
    uint64_t gap_offsets = 0;
    uint64_t null_values = 0;
    uint64_t broker_errors = 0;  // librdkafka went on after them
  };

  // `headers`: fill RecordBatch::headers too.
  KafkaStream(std::shared_ptr<KafkaClient> client, const KafkaProbe& probe, std::string topic_name,
              bool headers);
  ~KafkaStream();
  KafkaStream(const KafkaStream&) = delete;
  KafkaStream& operator=(const KafkaStream&) = delete;

  Result<void> open(size_t partition_count);
  // librdkafka's simple consumer: partitions and offsets are said, nothing is negotiated, and
  // none of the group machinery can move us. `from_beginning`: wherever each log begins by then.
  Result<void> start(std::span<const KafkaPosition> positions, bool from_beginning);

  // Appends records until the batch has `records_max` or would have more than `bytes_max` bytes,
  // but one at least. Waits at most `wait` for the first message. True: something came.
  Result<bool> take(RecordBatch& batch, size_t records_max, size_t bytes_max,
                    std::chrono::milliseconds wait);

  // True once since it was asked last: the broker said something that may mean that the topic is
  // gone.
  bool is_doubtful() { return std::exchange(doubtful_, false); }
  std::vector<Place>& places() { return places_; }
  const std::vector<Place>& places() const { return places_; }
  const Counts& counts() const { return counts_; }
  size_t fetched() const { return rd_kafka_queue_length(queue_.get()); }
  bool is_started() const { return queue_ != nullptr; }

 private:
  // What librdkafka says in place of a record.
  struct Event {
    rd_kafka_resp_err_t code;
    bool of_topic;
    int32_t partition;
    int64_t offset;
    std::string detail;
  };

  static void on_message(rd_kafka_message_t* message, void* stream) noexcept;
  bool take_message(const rd_kafka_message_t& message);
  bool take_record(const rd_kafka_message_t& message);
  void append(RecordBatch& batch, const rd_kafka_message_t& message);
  void append_headers(RecordBatch& batch, Record& record, const rd_kafka_message_t& message);
  std::string_view keep(RecordBatch& batch, std::string_view bytes);
  void hand_over_waiting();
  bool move_past(const Record& record);
  bool is_full() const;
  Result<void> move_to(Place& place, int32_t partition, int64_t offset);
  Result<void> take_event(const Event& event);
  Error explain_reset(int32_t partition) const;

  const std::shared_ptr<KafkaClient> client_;
  const KafkaProbe& probe_;
  const std::string topic_name_;
  const bool headers_;
  KafkaTopic topic_;
  KafkaQueue queue_;
  std::vector<Place> places_;
  Counts counts_;
  bool doubtful_ = false;

  Chunks chunks_;
  std::shared_ptr<char[]> chunk_;
  size_t chunk_used_ = 0;

  // The call of take() that is going on.
  RecordBatch* batch_ = nullptr;
  size_t records_max_ = 0;
  size_t bytes_max_ = 0;
  std::optional<Event> event_;
  std::optional<Error> failure_;
  RecordBatch waiting_;  // one record, which did not fit
};

}  // namespace gauger::ingest
