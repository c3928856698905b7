#include "tests/kafka_broker.h"

#include <librdkafka/rdkafka.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "tests/catch.h"

namespace gauger::tests {
namespace {

constexpr int timeout_ms = 15'000;
constexpr int unresolved = 3;  // kafka.sh's exit code

[[noreturn]] void skip(const char* why) {
  const char* const ci = std::getenv("CI");
  if (ci != nullptr && std::string_view(ci) == "true") FAIL(why);
  std::printf("skipped: %s\n", why);
  std::fflush(stdout);
  std::_Exit(77);
}

int kafka_script(const std::string& command, const std::string& directory) {
  const auto line =
      "'" GAUGER_KAFKA_SCRIPT "' " + command + " --dir '" + directory + "' >/dev/null";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

using Properties = std::vector<std::pair<std::string, std::string>>;

// A handle and the queue that its answers come to.
class Admin {
 public:
  explicit Admin(const std::string& bootstrap, rd_kafka_type_t type = RD_KAFKA_PRODUCER,
                 const Properties& properties = {}) {
    auto* conf = rd_kafka_conf_new();
    std::array<char, 512> why{};
    const auto set = [&](const char* name, const char* value) {
      REQUIRE(rd_kafka_conf_set(conf, name, value, why.data(), why.size()) == RD_KAFKA_CONF_OK);
    };
    set("bootstrap.servers", bootstrap.c_str());
    set("log_level", "2");
    for (const auto& [name, value] : properties) set(name.c_str(), value.c_str());
    handle = rd_kafka_new(type, conf, why.data(), why.size());
    REQUIRE(handle != nullptr);
    queue = rd_kafka_queue_new(handle);
  }
  ~Admin() {
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
  }
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // The code of the answer, or of its only topic.
  rd_kafka_resp_err_t answer() const {
    auto* event = rd_kafka_queue_poll(queue, timeout_ms);
    if (event == nullptr) return RD_KAFKA_RESP_ERR__TIMED_OUT;
    auto code = rd_kafka_event_error(event);
    size_t count = 0;
    const rd_kafka_topic_result_t** topics = nullptr;
    if (const auto* created = rd_kafka_event_CreateTopics_result(event))
      topics = rd_kafka_CreateTopics_result_topics(created, &count);
    else if (const auto* deleted = rd_kafka_event_DeleteTopics_result(event))
      topics = rd_kafka_DeleteTopics_result_topics(deleted, &count);
    else if (const auto* added = rd_kafka_event_CreatePartitions_result(event))
      topics = rd_kafka_CreatePartitions_result_topics(added, &count);
    if (!code && count == 1) code = rd_kafka_topic_result_error(topics[0]);
    rd_kafka_event_destroy(event);
    return code;
  }

  // Number of the topic's partitions as the broker says now, 0 without the topic.
  int partitions_of(const std::string& topic) const {
    auto* handle_of_topic = rd_kafka_topic_new(handle, topic.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto code = rd_kafka_metadata(handle, 0, handle_of_topic, &metadata, timeout_ms);
    rd_kafka_topic_destroy(handle_of_topic);
    if (code) return -1;
    const auto& found = metadata->topics[0];
    const int count = found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? 0
                      : found.err                                          ? -1
                                                                           : found.partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
  }

  void wait_for_partitions(const std::string& topic, int count) const {
    for (int i = 0; i < 200 && partitions_of(topic) != count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    REQUIRE(partitions_of(topic) == count);
  }

  rd_kafka_t* handle;
  rd_kafka_queue_t* queue;
};

}  // namespace

std::string kafka_bootstrap() {
  const auto bootstrap = first_line(GAUGER_KAFKA_DIRECTORY "/bootstrap");
  if (bootstrap.empty()) skip("no Kafka broker could be started");
  return bootstrap;
}

KafkaBroker::KafkaBroker() {
  auto pattern = (std::filesystem::temp_directory_path() / "gauger-kafka-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  const int code = kafka_script("start", directory_);
  if (code == unresolved) skip("Apache Kafka's jars cannot be resolved");
  REQUIRE(code == 0);
  bootstrap_ = first_line(directory_ + "/bootstrap");
}

KafkaBroker::~KafkaBroker() {
  kafka_script("stop", directory_);
  std::error_code ignored;
  std::filesystem::remove(directory_, ignored);
}

void KafkaBroker::kill() { REQUIRE(kafka_script("kill", directory_) == 0); }
void KafkaBroker::start() { REQUIRE(kafka_script("start", directory_) == 0); }

std::string topic_name(std::string_view about) {
  static std::atomic<int> count{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::string(about) + "-" + std::to_string(getpid()) + "-" + std::to_string(now.count()) +
         "-" + std::to_string(count++);
}

void create_topic(const std::string& bootstrap, const std::string& topic, int32_t partitions,
                  const TopicSettings& settings) {
  const Admin admin(bootstrap);
  std::array<char, 512> why{};
  auto* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, why.data(), why.size());
  REQUIRE(wanted != nullptr);
  for (const auto& [name, value] : settings)
    rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str());
  rd_kafka_CreateTopics(admin.handle, &wanted, 1, nullptr, admin.queue);
  const auto code = admin.answer();
  rd_kafka_NewTopic_destroy(wanted);
  INFO(rd_kafka_err2str(code));
  REQUIRE(code == RD_KAFKA_RESP_ERR_NO_ERROR);
  admin.wait_for_partitions(topic, partitions);
}

void delete_topic(const std::string& bootstrap, const std::string& topic) {
  const Admin admin(bootstrap);
  auto* unwanted = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_DeleteTopics(admin.handle, &unwanted, 1, nullptr, admin.queue);
  const auto code = admin.answer();
  rd_kafka_DeleteTopic_destroy(unwanted);
  REQUIRE(code == RD_KAFKA_RESP_ERR_NO_ERROR);
  admin.wait_for_partitions(topic, 0);
}

void add_partitions(const std::string& bootstrap, const std::string& topic, int32_t partitions) {
  const Admin admin(bootstrap);
  std::array<char, 512> why{};
  auto* wanted = rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(partitions),
                                            why.data(), why.size());
  REQUIRE(wanted != nullptr);
  rd_kafka_CreatePartitions(admin.handle, &wanted, 1, nullptr, admin.queue);
  const auto code = admin.answer();
  rd_kafka_NewPartitions_destroy(wanted);
  REQUIRE(code == RD_KAFKA_RESP_ERR_NO_ERROR);
  admin.wait_for_partitions(topic, partitions);
}

void delete_records(const std::string& bootstrap, const std::string& topic, int32_t partition,
                    int64_t before) {
  const Admin admin(bootstrap);
  auto* offsets = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(offsets, topic.c_str(), partition)->offset = before;
  auto* unwanted = rd_kafka_DeleteRecords_new(offsets);
  rd_kafka_topic_partition_list_destroy(offsets);
  rd_kafka_DeleteRecords(admin.handle, &unwanted, 1, nullptr, admin.queue);
  const auto code = admin.answer();
  rd_kafka_DeleteRecords_destroy(unwanted);
  REQUIRE(code == RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::vector<int64_t> committed_offsets(const std::string& bootstrap, const std::string& topic,
                                       const std::string& group, int32_t partitions) {
  const Admin admin(bootstrap, RD_KAFKA_CONSUMER, {{"group.id", group}});
  auto* offsets = rd_kafka_topic_partition_list_new(partitions);
  for (int32_t i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(offsets, topic.c_str(), i);
  // The first group of a new broker waits for its coordinator.
  auto code = rd_kafka_committed(admin.handle, offsets, timeout_ms);
  for (int tries = 0; tries < 100 && code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    code = rd_kafka_committed(admin.handle, offsets, timeout_ms);
  }
  INFO(rd_kafka_err2str(code));
  REQUIRE(code == RD_KAFKA_RESP_ERR_NO_ERROR);
  std::vector<int64_t> found;
  for (int32_t i = 0; i < partitions; ++i)
    found.push_back(offsets->elems[static_cast<size_t>(i)].offset);
  rd_kafka_topic_partition_list_destroy(offsets);
  return found;
}

struct KafkaTransaction::Impl {
  explicit Impl(const std::string& bootstrap, const std::string& id)
      : admin(bootstrap, RD_KAFKA_PRODUCER, {{"transactional.id", id}}) {}
  static void require(rd_kafka_error_t* error) {
    const std::string why = error != nullptr ? rd_kafka_error_string(error) : "";
    if (error != nullptr) rd_kafka_error_destroy(error);
    REQUIRE(why == "");
  }
  Admin admin;
  bool open = false;
};

KafkaTransaction::KafkaTransaction(const std::string& bootstrap, const std::string& id)
    : impl_(std::make_unique<Impl>(bootstrap, id)) {
  Impl::require(rd_kafka_init_transactions(impl_->admin.handle, timeout_ms));
  Impl::require(rd_kafka_begin_transaction(impl_->admin.handle));
  impl_->open = true;
}

KafkaTransaction::~KafkaTransaction() {
  if (impl_->open)
    if (auto* error = rd_kafka_abort_transaction(impl_->admin.handle, timeout_ms))
      rd_kafka_error_destroy(error);
}

void KafkaTransaction::send(const std::string& topic, int32_t partition, std::string_view value) {
  auto* handle = rd_kafka_topic_new(impl_->admin.handle, topic.c_str(), nullptr);
  const int code =
      rd_kafka_produce(handle, partition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()),
                       value.size(), nullptr, 0, nullptr);
  rd_kafka_topic_destroy(handle);
  REQUIRE(code == 0);
  REQUIRE(rd_kafka_flush(impl_->admin.handle, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void KafkaTransaction::commit() {
  Impl::require(rd_kafka_commit_transaction(impl_->admin.handle, timeout_ms));
  impl_->open = false;
}

void KafkaTransaction::abort() {
  Impl::require(rd_kafka_abort_transaction(impl_->admin.handle, timeout_ms));
  impl_->open = false;
}

}  // namespace gauger::tests
