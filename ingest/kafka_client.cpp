#include "ingest/kafka_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "schemas/verify.h"

namespace gauger::ingest {
namespace {

using namespace std::chrono_literals;

constexpr int syslog_warning = 4;  // librdkafka counts levels as syslog does
constexpr size_t complaint_bytes_max = 500;
constexpr auto retry_interval = 50ms;

struct ConfDestroy {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, ConfDestroy>;

Result<void> set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why{};
  const auto done = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size());
  if (done == RD_KAFKA_CONF_OK) return success();
  return invalid_argument(fmt::format("kafka property {}: {}", name, why.data()));
}

Result<void> configure(rd_kafka_conf_t* conf, const KafkaConnection& connection,
                       const KafkaClientOptions& options) {
  if (connection.brokers.empty())
    return invalid_argument("kafka brokers are missing: host:port, comma-separated");
  for (const auto& [name, value] : options.defaults) {
    TRY(set(conf, name, value));
  }
  for (const auto& [name, value] : connection.properties) {
    const auto named = [&name = name](const KafkaSetting& setting) { return name == setting.name; };
    if (name == "bootstrap.servers" || name == "metadata.broker.list" ||
        std::ranges::any_of(options.fixed, named))
      return invalid_argument(
          fmt::format("kafka property {} is set by Gauger and cannot be given", name));
    TRY(set(conf, name, value));
  }
  TRY(set(conf, "bootstrap.servers", connection.brokers));
  for (const auto& [name, value] : options.fixed) {
    TRY(set(conf, name, value));
  }
  for (const auto& [name, value] : options.if_known)
    rd_kafka_conf_set(conf, name, value.c_str(), nullptr, 0);
  return success();
}

// May be gone in a moment: a broker that is away or starts, a leader that moved. librdkafka
// looks for the new one meanwhile.
bool passes(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: return true;
    default: return false;
  }
}

bool is_denied(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

}  // namespace

Result<std::shared_ptr<KafkaClient>> KafkaClient::create(const KafkaConnection& connection,
                                                         const KafkaClientOptions& options) {
  std::shared_ptr<KafkaClient> client(new KafkaClient(connection));
  client->delivered_to_ = options.delivered_to;
  Conf conf(rd_kafka_conf_new());
  TRY(configure(conf.get(), connection, options));
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (options.delivered) rd_kafka_conf_set_dr_msg_cb(conf.get(), options.delivered);
  std::array<char, 512> why{};
  client->handle_ = rd_kafka_new(options.type, conf.get(), why.data(), why.size());
  if (!client->handle_) return invalid_argument(fmt::format("kafka properties: {}", why.data()));
  static_cast<void>(conf.release());  // the handle owns it now
  return client;
}

KafkaClient::~KafkaClient() {
  // Without leaving a group: we are in none, and asking an absent coordinator would block.
  if (handle_) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaClient::on_log(const rd_kafka_t* handle, int level, const char* /*facility*/,
                         const char* text) {
  if (level > syslog_warning) return;
  // Null while the handle is still being made.
  if (auto* client = static_cast<KafkaClient*>(rd_kafka_opaque(handle))) client->note(text);
}

void KafkaClient::on_error(rd_kafka_t* /*handle*/, int code, const char* reason, void* opaque) {
  auto* client = static_cast<KafkaClient*>(opaque);
  ++client->errors_;
  // Says less than what came before it: why the last one went down.
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  client->note(
      fmt::format("{} ({})", reason, rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code))));
}

void KafkaClient::note(std::string_view text) {
  if (connection_.log) connection_.log(text);
  const std::lock_guard lock(mutex_);
  last_complaint_ = text.substr(0, complaint_bytes_max);
}

std::string KafkaClient::last_complaint() const {
  const std::lock_guard lock(mutex_);
  return last_complaint_;
}

Error KafkaClient::error(std::string_view doing, rd_kafka_resp_err_t code) const {
  // Time-outs say nothing of their cause; the log does.
  rd_kafka_poll(handle_, 0);
  const auto complaint = last_complaint();
  auto sentence =
      fmt::format("kafka at {}: {}: {}", connection_.brokers, doing, rd_kafka_err2str(code));
  if (passes(code) && !complaint.empty()) sentence += ": " + complaint;
  if (passes(code)) return {ErrorCode::unavailable, std::move(sentence)};
  if (is_denied(code)) return {ErrorCode::refused, std::move(sentence)};
  return io_error(std::move(sentence));
}

// Not with rd_kafka_query_watermark_offsets: librdkafka 2.0's ignores its timeout while brokers
// are down, and asks partition by partition. What it sends is the same.
Result<std::vector<int64_t>> ask_offsets(const KafkaClient& client, const std::string& topic,
                                         size_t partition_count, int64_t which,
                                         std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const KafkaPartitions asked(
        rd_kafka_topic_partition_list_new(static_cast<int>(partition_count)));
    for (size_t i = 0; i < partition_count; ++i)
      rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), static_cast<int32_t>(i))
          ->offset = which;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    auto code = rd_kafka_offsets_for_times(client.handle(), asked.get(),
                                           static_cast<int>(std::max(left, 1ms).count()));
    std::vector<int64_t> offsets;
    for (int i = 0; i < asked->cnt; ++i) {
      const auto& partition = asked->elems[i];
      if (!code) code = partition.err;
      if (!code && partition.offset < 0) code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
      offsets.push_back(partition.offset);
    }
    if (!code) return offsets;
    if (!passes(code) || left <= retry_interval)
      return client.error(fmt::format("asking where topic '{}' begins and ends", topic), code);
    std::this_thread::sleep_for(retry_interval);
  }
}

Result<KafkaTopic> open_topic(const KafkaClient& client, const std::string& name) {
  if (name.empty()) return invalid_argument("the kafka topic's name is missing");
  KafkaTopic topic(rd_kafka_topic_new(client.handle(), name.c_str(), nullptr));
  if (!topic)
    return invalid_argument(
        fmt::format("kafka topic '{}': {}", name, rd_kafka_err2str(rd_kafka_last_error())));
  return topic;
}

}  // namespace gauger::ingest
