#include "ingest/kafka_producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "ingest/kafka_client.h"
#include "ingest/kafka_probe.h"
#include "schemas/limits.h"
#include "schemas/verify.h"

namespace gauger::ingest {
namespace {

constexpr size_t chunk_records_max = 4096;
// Brokers hear of a new topic a moment after it was made.
constexpr std::chrono::milliseconds new_topic_interval{50};

const std::array producer_fixed = {
    KafkaSetting{"enable.idempotence", "true"},  // implies acks=all and order by partition
    // Only what fails is reported: an answer per record costs more than sending it.
    KafkaSetting{"delivery.report.only.error", "true"},
};

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDestroy<rd_kafka_NewTopic_destroy>>;

using Failure = std::unique_ptr<rd_kafka_error_t, KafkaDestroy<rd_kafka_error_destroy>>;

// librdkafka copies these bytes and writes none. To it a null pointer is no value at all.
void* bytes_of(std::string_view bytes) {
  return const_cast<char*>(bytes.data() ? bytes.data() : "");
}

Result<void> create_topic(const KafkaClient& client, const std::string& name, int32_t partitions,
                          const KafkaProperties& settings) {
  std::array<char, 512> why{};
  const NewTopic topic(rd_kafka_NewTopic_new(name.c_str(), partitions, -1, why.data(), why.size()));
  if (!topic) return invalid_argument(fmt::format("kafka topic '{}': {}", name, why.data()));
  for (const auto& [key, value] : settings)
    rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
  const KafkaQueue queue(rd_kafka_queue_new(client.handle()));
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  rd_kafka_CreateTopics(client.handle(), topics, 1, nullptr, queue.get());
  const KafkaEvent event(rd_kafka_queue_poll(queue.get(), client.timeout_ms()));
  const auto doing = fmt::format("creating topic '{}'", name);
  if (!event) return client.error(doing, RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (const auto code = rd_kafka_event_error(event.get())) return client.error(doing, code);
  size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  VERIFY(count == 1, "one topic was asked for");
  const auto code = rd_kafka_topic_result_error(results[0]);
  if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return success();
  const auto* detail = rd_kafka_topic_result_error_string(results[0]);
  return client.error(fmt::format("{}: {}", doing, detail ? detail : "refused"), code);
}

}  // namespace

struct KafkaProducer::Impl {
  explicit Impl(KafkaProducerConfig given) : config(std::move(given)) {}
  Result<void> create_client();
  Result<void> find_topic(std::chrono::milliseconds patience);
  Error error_of(rd_kafka_resp_err_t code) const;
  Result<void> send_chunk(std::span<rd_kafka_message_t> messages);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);

  const KafkaProducerConfig config;
  int32_t partitions = 0;
  // The first failure; reported by librdkafka while it is polled, on our thread.
  std::optional<Error> failure;
  std::vector<rd_kafka_message_t> chunk;  // scratch of send()
  std::shared_ptr<KafkaClient> client;
  KafkaTopic topic;
};

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::connect(KafkaProducerConfig config) {
  auto impl = std::make_unique<Impl>(std::move(config));
  TRY(impl->create_client());
  TRY(impl->find_topic(std::chrono::milliseconds(0)));
  return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(impl)));
}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::create(KafkaProducerConfig config,
                                                             int32_t partitions,
                                                             const KafkaProperties& settings) {
  auto impl = std::make_unique<Impl>(std::move(config));
  TRY(impl->create_client());
  TRY(create_topic(*impl->client, impl->config.topic, partitions, settings));
  TRY(impl->find_topic(impl->config.connection.timeout));
  if (impl->partitions != partitions)
    return Error{ErrorCode::conflict,
                 fmt::format("kafka topic '{}' exists with {} partitions, not {}",
                             impl->config.topic, impl->partitions, partitions)};
  return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(impl)));
}

KafkaProducer::KafkaProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

KafkaProducer::~KafkaProducer() {
  if (impl_->client)
    rd_kafka_purge(impl_->client->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

int32_t KafkaProducer::partition_count() const { return impl_->partitions; }

Result<void> KafkaProducer::Impl::create_client() {
  const std::array defaults = {
      KafkaSetting{"compression.codec", "lz4"},
      KafkaSetting{"linger.ms", "20"},
      KafkaSetting{"batch.size", "1000000"},
      KafkaSetting{"batch.num.messages", "100000"},
      KafkaSetting{"message.max.bytes", std::to_string(limits::record_bytes_max)},
      KafkaSetting{"queue.buffering.max.messages", "2000000"},
      KafkaSetting{"queue.buffering.max.kbytes", std::to_string(config.queue_bytes_max >> 10)},
      KafkaSetting{"socket.nagle.disable", "true"},
      KafkaSetting{"reconnect.backoff.max.ms", "2000"},
      KafkaSetting{"client.id", "gauger"},
  };
  KafkaClientOptions options;
  options.type = RD_KAFKA_PRODUCER;
  options.defaults = defaults;
  options.fixed = producer_fixed;
  options.delivered = on_delivery;
  options.delivered_to = this;
  TRY(client, KafkaClient::create(config.connection, options));
  TRY(topic, open_topic(*client, config.topic));
  return success();
}

Result<void> KafkaProducer::Impl::find_topic(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto probe = KafkaProbe::connect(config.connection, config.topic);
    if (probe) {
      partitions = probe.value()->partition_count();
      return success();
    }
    if (probe.error().code != ErrorCode::not_found || std::chrono::steady_clock::now() >= deadline)
      return probe.error();
    std::this_thread::sleep_for(new_topic_interval);
  }
}

void KafkaProducer::Impl::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message,
                                      void* opaque) {
  auto& impl = *static_cast<Impl*>(static_cast<KafkaClient*>(opaque)->delivered_to());
  if (message->err && !impl.failure) impl.failure = impl.error_of(message->err);
}

Error KafkaProducer::Impl::error_of(rd_kafka_resp_err_t code) const {
  return client->error(fmt::format("sending to topic '{}'", config.topic), code);
}

Result<void> KafkaProducer::send(std::span<const KafkaRecord> records) {
  auto& impl = *impl_;
  while (!records.empty()) {
    const auto now = records.first(std::min(records.size(), chunk_records_max));
    records = records.subspan(now.size());
    impl.chunk.assign(now.size(), rd_kafka_message_t{});
    for (size_t i = 0; i < now.size(); ++i) {
      impl.chunk[i].payload = bytes_of(now[i].value);
      impl.chunk[i].len = now[i].value.size();
      impl.chunk[i].partition = now[i].partition;
      if (now[i].key.empty()) continue;
      impl.chunk[i].key = bytes_of(now[i].key);
      impl.chunk[i].key_len = now[i].key.size();
    }
    TRY(impl.send_chunk(impl.chunk));
  }
  return success();
}

Result<void> KafkaProducer::Impl::send_chunk(std::span<rd_kafka_message_t> messages) {
  while (!messages.empty()) {
    rd_kafka_poll(client->handle(), 0);
    if (failure) return *failure;
    const auto count = static_cast<int>(messages.size());
    const int sent = rd_kafka_produce_batch(topic.get(), RD_KAFKA_PARTITION_UA,
                                            RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION,
                                            messages.data(), count);
    if (sent == count) return success();
    const auto failed = std::ranges::find_if(
        messages, [](const rd_kafka_message_t& message) { return message.err != 0; });
    VERIFY(failed != messages.end(), "a record that was not taken says why");
    if (failed->err != RD_KAFKA_RESP_ERR__QUEUE_FULL) return error_of(failed->err);
    // Full at one record means that none after it was taken.
    messages = messages.subspan(static_cast<size_t>(failed - messages.begin()));
    rd_kafka_poll(client->handle(), 10);
  }
  return success();
}

Result<void> KafkaProducer::send(const KafkaRecord& record, std::optional<std::string_view> value,
                                 std::span<const RecordHeader> headers) {
  auto& impl = *impl_;
  std::array<rd_kafka_vu_t, 6> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = impl.topic.get();
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = record.partition;
  parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[2].u.i = RD_KAFKA_MSG_F_COPY;
  parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[3].u.mem = {value ? bytes_of(*value) : nullptr, value ? value->size() : 0};
  parts[4].vtype = RD_KAFKA_VTYPE_KEY;
  parts[4].u.mem = {record.key.empty() ? nullptr : bytes_of(record.key), record.key.size()};
  parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  while (true) {
    rd_kafka_poll(impl.client->handle(), 0);
    if (impl.failure) return *impl.failure;
    auto* list = parts[5].u.headers = rd_kafka_headers_new(headers.size());
    for (const auto& [name, text] : headers)
      rd_kafka_header_add(list, name.data(), static_cast<ssize_t>(name.size()), text.data(),
                          static_cast<ssize_t>(text.size()));
    const Failure failed(rd_kafka_produceva(impl.client->handle(), parts.data(), parts.size()));
    if (!failed) return success();
    rd_kafka_headers_destroy(list);  // librdkafka owns them only on success
    const auto code = rd_kafka_error_code(failed.get());
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return impl.error_of(code);
    rd_kafka_poll(impl.client->handle(), 10);
  }
}

Result<void> KafkaProducer::flush(std::chrono::milliseconds timeout) {
  const auto code = rd_kafka_flush(impl_->client->handle(), static_cast<int>(timeout.count()));
  if (impl_->failure) return *impl_->failure;
  if (code) return impl_->error_of(code);
  return success();
}

}  // namespace gauger::ingest
