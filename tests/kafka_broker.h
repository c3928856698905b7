// A real broker for tests, and what they do to its topics. Tests tagged [kafka] get a broker
// that ctest starts once (tools/kafka/kafka.sh). Where its jars could not be resolved they end
// as skipped, by ctest's exit code 77, except with CI=true, where they fail.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauger::tests {

using TopicSettings = std::vector<std::pair<std::string, std::string>>;

// host:port of the broker that ctest started.
std::string kafka_bootstrap();

// A broker of one test alone, which may take it away. Its data outlive kill() and stop().
class KafkaBroker {
 public:
  KafkaBroker();
  ~KafkaBroker();
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;
  const std::string& bootstrap() const { return bootstrap_; }
  void kill();
  void start();

 private:
  std::string directory_;
  std::string bootstrap_;
};

// A name that no other test or run uses.
std::string topic_name(std::string_view about);
void create_topic(const std::string& bootstrap, const std::string& topic, int32_t partitions,
                  const TopicSettings& settings = {});
void delete_topic(const std::string& bootstrap, const std::string& topic);
void add_partitions(const std::string& bootstrap, const std::string& topic, int32_t partitions);
// Cuts the log off: its first offset is `before` then.
void delete_records(const std::string& bootstrap, const std::string& topic, int32_t partition,
                    int64_t before);
// What the group has published, per partition; -1001 for none.
std::vector<int64_t> committed_offsets(const std::string& bootstrap, const std::string& topic,
                                       const std::string& group, int32_t partitions);

// A transactional producer with one transaction.
class KafkaTransaction {
 public:
  KafkaTransaction(const std::string& bootstrap, const std::string& id);
  ~KafkaTransaction();
  KafkaTransaction(const KafkaTransaction&) = delete;
  KafkaTransaction& operator=(const KafkaTransaction&) = delete;
  // Written and acknowledged when it returns, yet not committed.
  void send(const std::string& topic, int32_t partition, std::string_view value);
  void commit();
  void abort();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::tests
