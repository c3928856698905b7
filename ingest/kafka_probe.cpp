#include "ingest/kafka_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "ledger/hash.h"
#include "schemas/verify.h"

namespace gauger::ingest {
namespace {

// One record per partition is wanted, but a broker sends whole batches, and beyond this limit only
// for the first partition of an answer: it must hold a batch of the size that producers make.
const std::array probe_defaults = {
    KafkaSetting{"fetch.message.max.bytes", "1048576"},
    KafkaSetting{"fetch.wait.max.ms", "100"},
    KafkaSetting{"queued.min.messages", "1"},
    KafkaSetting{"socket.nagle.disable", "true"},
    KafkaSetting{"reconnect.backoff.max.ms", "2000"},
    KafkaSetting{"client.id", "gauger"},
};
const std::array probe_fixed = {
    KafkaSetting{"group.id", ""},
    KafkaSetting{"enable.auto.commit", "false"},
    KafkaSetting{"enable.auto.offset.store", "false"},
    KafkaSetting{"auto.offset.reset", "error"},
    KafkaSetting{"enable.partition.eof", "true"},
    // Complete means: every record that was sent has been taken in or given up by its sender.
    KafkaSetting{"isolation.level", "read_uncommitted"},
};

struct MetadataDestroy {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};

struct MemFree {
  rd_kafka_t* handle;
  void operator()(char* text) const { rd_kafka_mem_free(handle, text); }
};

using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDestroy<rd_kafka_ConfigResource_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, KafkaDestroy<rd_kafka_AdminOptions_destroy>>;

std::string_view value_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.payload ? message.len : 0};
}

}  // namespace

Result<std::unique_ptr<KafkaProbe>> KafkaProbe::connect(const KafkaConnection& connection,
                                                        const std::string& topic) {
  KafkaClientOptions options;
  options.defaults = probe_defaults;
  options.fixed = probe_fixed;
  // The stream's isolation is its own affair.
  auto asked = connection;
  std::erase_if(asked.properties,
                [](const auto& property) { return property.first == "isolation.level"; });
  TRY(auto client, KafkaClient::create(asked, options));
  TRY(auto handle, open_topic(*client, topic));
  std::unique_ptr<KafkaProbe> probe(new KafkaProbe(client, std::move(handle), topic));
  TRY(probe->partition_count_, probe->ask_partition_count());
  const std::unique_ptr<char, MemFree> cluster(
      rd_kafka_clusterid(client->handle(), probe->timeout_ms()), MemFree{client->handle()});
  if (!cluster) return client->error("asking for the cluster's id", RD_KAFKA_RESP_ERR__TIMED_OUT);
  probe->name_ = fmt::format("kafka:{}/{}", cluster.get(), topic);
  return probe;
}

Result<int32_t> KafkaProbe::ask_partition_count() const {
  const rd_kafka_metadata_t* answer = nullptr;
  const auto doing = fmt::format("asking for topic '{}'", topic_name_);
  if (const auto code =
          rd_kafka_metadata(client_->handle(), 0, topic_.get(), &answer, timeout_ms()))
    return client_->error(doing, code);
  const std::unique_ptr<const rd_kafka_metadata_t, MetadataDestroy> metadata(answer);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& found = metadata->topics[i];
    if (found.topic != topic_name_) continue;
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) break;
    if (found.err) return client_->error(doing, found.err);
    return found.partition_cnt;
  }
  return Error{ErrorCode::not_found, fmt::format("kafka at {}: there is no topic '{}'",
                                                 client_->connection().brokers, topic_name_)};
}

Result<std::vector<KafkaProbe::Log>> KafkaProbe::ask_logs() const {
  const auto count = static_cast<size_t>(partition_count_);
  TRY(const auto begins,
      ask_offsets(*client_, topic_name_, count, RD_KAFKA_OFFSET_BEGINNING, timeout_));
  TRY(const auto ends, ask_offsets(*client_, topic_name_, count, RD_KAFKA_OFFSET_END, timeout_));
  std::vector<Log> logs;
  for (size_t i = 0; i < count; ++i) logs.push_back({begins[i], ends[i]});
  return logs;
}

Error KafkaProbe::refused(std::string_view why) const {
  return {ErrorCode::refused, fmt::format("{}: {}", name_, why)};
}

Error KafkaProbe::refused(int32_t partition, std::string_view why) const {
  return refused(fmt::format("partition {}: {}", partition, why));
}

Result<void> KafkaProbe::check_partition_count(size_t known, int32_t found) const {
  if (std::cmp_equal(known, found)) return success();
  return refused(
      fmt::format("the topic's partition count changed: the ledger has read {}, the topic has {}; "
                  "a topic keeps its partitions, another number needs a topic of another name",
                  known, found));
}

Result<void> KafkaProbe::check_offset(int32_t partition, int64_t next_offset,
                                      const Log& log) const {
  if (next_offset < log.begin)
    return refused(partition,
                   fmt::format("the topic was cut off at its start: the ledger goes on at offset "
                               "{}, but the log begins at {}, so {} offsets were deleted before "
                               "they were read",
                               next_offset, log.begin, log.begin - next_offset));
  if (next_offset > log.end)
    return refused(partition,
                   fmt::format("the topic was made anew or cut off at its end: the ledger goes on "
                               "at offset {}, but the log ends at {}",
                               next_offset, log.end));
  return success();
}

// Reads one record per partition, at the offset that was stored. The partitions are started
// and stopped one by one through librdkafka's simple consumer, which joins no group.
Result<size_t> KafkaProbe::check_records(std::span<const KafkaPosition> positions) const {
  size_t unchecked = 0;
  std::vector<KafkaPosition> asked;
  TRY(const auto logs, ask_logs());
  for (const auto& position : positions) {
    if (position.record_offset < 0) continue;
    if (position.record_offset < logs[static_cast<size_t>(position.partition)].begin)
      ++unchecked;
    else
      asked.push_back(position);
  }
  const KafkaQueue queue(rd_kafka_queue_new(client_->handle()));
  std::vector<KafkaPosition> waiting;
  Result<void> answer = success();
  for (const auto& position : asked) {
    if (rd_kafka_consume_start_queue(topic_.get(), position.partition, position.record_offset,
                                     queue.get())) {
      answer = client_->error("reading a stored record again", rd_kafka_last_error());
      break;
    }
    waiting.push_back(position);
  }
  if (answer) answer = compare(waiting, queue.get(), unchecked);
  for (const auto& position : waiting) rd_kafka_consume_stop(topic_.get(), position.partition);
  TRY(answer);
  return unchecked;
}

// The first thing that comes from each partition is its stored record, or shows its absence. The
// partition is stopped then: what lies behind that record would keep the others waiting.
Result<void> KafkaProbe::compare(std::vector<KafkaPosition>& waiting, rd_kafka_queue_t* queue,
                                 size_t& unchecked) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout_;
  while (!waiting.empty()) {
    if (std::chrono::steady_clock::now() > deadline)
      return client_->error(
          fmt::format("reading the stored records of topic '{}' again", topic_name_),
          RD_KAFKA_RESP_ERR__TIMED_OUT);
    rd_kafka_poll(client_->handle(), 0);
    const KafkaMessage message(rd_kafka_consume_queue(queue, 20));
    if (!message) {
      // A question wakes the fetcher, which may sleep for a second before it begins.
      static_cast<void>(ask_logs());
      continue;
    }
    const auto position = std::ranges::find(waiting, message->partition, &KafkaPosition::partition);
    if (position == waiting.end()) continue;
    const bool absent = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
                        message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                        (!message->err && message->offset != position->record_offset);
    if (absent) {
      TRY(check_absent(*position));
      ++unchecked;
    } else if (message->err) {
      continue;  // a broker away for a moment; the deadline decides
    } else if (ledger::hash64(value_of(*message)) != position->record_hash) {
      return refused(position->partition,
                     fmt::format("the topic was made anew: offset {} holds another record than "
                                 "the one that the ledger stored",
                                 position->record_offset));
    }
    rd_kafka_consume_stop(topic_.get(), position->partition);
    waiting.erase(position);
  }
  return success();
}

// A record may go by retention or by compaction. Otherwise the log is another one.
Result<void> KafkaProbe::check_absent(const KafkaPosition& position) const {
  TRY(const auto logs, ask_logs());
  const auto& log = logs[static_cast<size_t>(position.partition)];
  if (position.record_offset < log.begin) return success();
  if (position.record_offset < log.end) {
    TRY(const bool compacted, ask_compacted());
    if (compacted) return success();
  }
  return refused(position.partition,
                 fmt::format("the topic was made anew: the ledger stored a record of offset {}, "
                             "where there is none now (the log runs from {} to {})",
                             position.record_offset, log.begin, log.end));
}

// Where the cluster will not say, the topic may be compacted.
Result<bool> KafkaProbe::ask_compacted() const {
  const AdminOptions options(
      rd_kafka_AdminOptions_new(client_->handle(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  std::array<char, 256> why{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms(), why.data(), why.size());
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_name_.c_str()));
  const KafkaQueue queue(rd_kafka_queue_new(client_->handle()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  rd_kafka_DescribeConfigs(client_->handle(), resources, 1, options.get(), queue.get());
  const KafkaEvent event(rd_kafka_queue_poll(queue.get(), timeout_ms() + 1000));
  if (!event) return client_->error("asking for a topic's settings", RD_KAFKA_RESP_ERR__TIMED_OUT);
  const auto* result = rd_kafka_event_DescribeConfigs_result(event.get());
  if (!result || rd_kafka_event_error(event.get())) return true;
  size_t count = 0;
  const auto* answers = rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count != 1 || rd_kafka_ConfigResource_error(answers[0])) return true;
  const auto* entries = rd_kafka_ConfigResource_configs(answers[0], &count);
  for (size_t i = 0; i < count; ++i)
    if (rd_kafka_ConfigEntry_name(entries[i]) == std::string_view("cleanup.policy"))
      if (const auto* policy = rd_kafka_ConfigEntry_value(entries[i]))
        return std::string_view(policy).find("compact") != std::string_view::npos;
  return true;
}

}  // namespace gauger::ingest
