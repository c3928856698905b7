// Publishes positions under a consumer group, as advice to people and their tools: where reading
// goes on is the ledger's to say. Sent in the background; one thread. Private to the Kafka source.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ingest/kafka_client.h"

namespace gauger::ingest {

class KafkaGroup {
 public:
  KafkaGroup(std::shared_ptr<KafkaClient> client, std::string topic);
  // Waits a moment for the answer to what was published last.
  ~KafkaGroup();
  KafkaGroup(const KafkaGroup&) = delete;
  KafkaGroup& operator=(const KafkaGroup&) = delete;

  // One offset per partition.
  Result<void> publish(std::span<const int64_t> next_offsets);

 private:
  void take_answers(std::chrono::milliseconds wait);

  std::shared_ptr<KafkaClient> client_;
  std::string topic_;
  KafkaQueue answers_;
  size_t open_ = 0;  // published, not yet answered
};

}  // namespace gauger::ingest
