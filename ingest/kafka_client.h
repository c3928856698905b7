// A librdkafka handle with its settings, its last complaint and its end: what kafka_source,
// kafka_probe and kafka_producer stand on. Private to ingest/.
// Threads: everything may be called from any thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/kafka_connection.h"
#include "schemas/result.h"

namespace gauger::ingest {

struct KafkaSetting {
  const char* name;
  std::string value;
};

struct KafkaClientOptions {
  rd_kafka_type_t type = RD_KAFKA_CONSUMER;
  std::span<const KafkaSetting> defaults;  // a property of the connection overrides these
  std::span<const KafkaSetting> fixed;     // and is refused when it names one of these
  // Set where this librdkafka knows them, passed over where it does not.
  std::span<const KafkaSetting> if_known;
  void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr;
  void* delivered_to = nullptr;
};

class KafkaClient {
 public:
  static Result<std::shared_ptr<KafkaClient>> create(const KafkaConnection& connection,
                                                     const KafkaClientOptions& options);
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  const KafkaConnection& connection() const { return connection_; }
  void* delivered_to() const { return delivered_to_; }
  uint64_t errors() const { return errors_; }
  std::string last_complaint() const;
  // "kafka at HOST: <doing>: <why>", with librdkafka's last complaint where that says more.
  // Unreachable brokers are `unavailable`, a denied right is `refused`, the rest `io`.
  Error error(std::string_view doing, rd_kafka_resp_err_t code) const;
  int timeout_ms() const { return static_cast<int>(connection_.timeout.count()); }

 private:
  explicit KafkaClient(KafkaConnection connection) : connection_(std::move(connection)) {}
  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  static void on_error(rd_kafka_t* handle, int code, const char* reason, void* opaque);
  void note(std::string_view text);

  KafkaConnection connection_;
  rd_kafka_t* handle_ = nullptr;
  void* delivered_to_ = nullptr;
  std::atomic<uint64_t> errors_{0};
  mutable std::mutex mutex_;
  std::string last_complaint_;
};

// librdkafka's objects with an owner.
template <auto destroy>
struct KafkaDestroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaDestroy<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaDestroy<rd_kafka_queue_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaDestroy<rd_kafka_message_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaDestroy<rd_kafka_event_destroy>>;
using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                        KafkaDestroy<rd_kafka_topic_partition_list_destroy>>;

// Where the first `partition_count` partitions of a topic begin (RD_KAFKA_OFFSET_BEGINNING) or
// end (RD_KAFKA_OFFSET_END), as far as the client's isolation.level lets it see.
Result<std::vector<int64_t>> ask_offsets(const KafkaClient& client, const std::string& topic,
                                         size_t partition_count, int64_t which,
                                         std::chrono::milliseconds timeout);

Result<KafkaTopic> open_topic(const KafkaClient& client, const std::string& name);

}  // namespace gauger::ingest
