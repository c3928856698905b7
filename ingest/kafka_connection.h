// How to reach a Kafka cluster; what the source and the producer have in common.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauger::ingest {

using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

struct KafkaConnection {
  std::string brokers;  // host:port, comma-separated
  // librdkafka's own settings: security.protocol, sasl.*, ssl.*, client.id, fetch sizes. Those
  // on which exactness rests are ours and refused here.
  KafkaProperties properties;
  // How long a question to the cluster may take, the first connection included.
  std::chrono::milliseconds timeout{10'000};
  // Gets librdkafka's warnings, from its own threads; they are dropped if empty.
  std::function<void(std::string_view)> log;
};

}  // namespace gauger::ingest
