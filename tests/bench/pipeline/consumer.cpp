// The bare consumer that the ledger is compared with: librdkafka reading batches of every
// partition from the beginning, and letting go of them.
#include <librdkafka/rdkafka.h>

#include <array>

#include "tests/bench/pipeline/measure.h"

namespace gauger::bench {

void measure_consumer(const std::string& brokers, const std::string& topic, uint64_t records) {
  std::array<char, 512> error{};
  auto* conf = rd_kafka_conf_new();
  // As the ledger's own consumer: queues large enough not to stall between fetches.
  const std::pair<const char*, std::string> properties[] = {
      {"bootstrap.servers", brokers},        {"group.id", "gauger-bench"},
      {"enable.auto.commit", "false"},       {"auto.offset.reset", "earliest"},
      {"queued.min.messages", "1000000"},    {"queued.max.messages.kbytes", "131072"},
      {"fetch.message.max.bytes", "1048576"}};
  for (const auto& [name, value] : properties)
    if (rd_kafka_conf_set(conf, name, value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK)
      must(Result<void>(invalid_argument(error.data())));
  auto* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error.data(), error.size());
  if (consumer == nullptr) must(Result<void>(invalid_argument(error.data())));
  rd_kafka_poll_set_consumer(consumer);
  const rd_kafka_metadata_t* metadata = nullptr;
  auto* handle = rd_kafka_topic_new(consumer, topic.c_str(), nullptr);
  if (rd_kafka_metadata(consumer, 0, handle, &metadata, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
    must(Result<void>(Error{ErrorCode::unavailable, "the broker does not answer"}));
  auto* assigned = rd_kafka_topic_partition_list_new(16);
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i)
    rd_kafka_topic_partition_list_add(assigned, topic.c_str(), i)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_metadata_destroy(metadata);
  const auto begin = now_seconds();
  const auto cpu = cpu_seconds();
  rd_kafka_assign(consumer, assigned);
  auto* queue = rd_kafka_queue_get_consumer(consumer);
  std::vector<rd_kafka_message_t*> messages(10'000);
  uint64_t seen = 0;
  uint64_t bytes = 0;
  while (seen < records) {
    const auto count = rd_kafka_consume_batch_queue(queue, 1000, messages.data(), messages.size());
    for (ssize_t i = 0; i < count; ++i) {
      auto* message = messages[static_cast<size_t>(i)];
      seen += message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : 0;
      bytes += message->len;
      rd_kafka_message_destroy(message);
    }
  }
  fmt::print("{{\"records\": {}, \"bytes\": {}, \"seconds\": {:.3f}, \"cpu_seconds\": {:.3f}}}\n",
             seen, bytes, now_seconds() - begin, cpu_seconds() - cpu);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_partition_list_destroy(assigned);
  rd_kafka_topic_destroy(handle);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
}

}  // namespace gauger::bench
