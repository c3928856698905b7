#include "ingest/kafka_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

#include "ingest/kafka_client.h"
#include "ingest/kafka_group.h"
#include "ingest/kafka_probe.h"
#include "ingest/kafka_watch.h"
#include "ledger/hash.h"
#include "schemas/verify.h"

namespace gauger::ingest {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Messages taken from librdkafka in one call. More would overshoot bytes_max by more.
constexpr size_t chunk_records_max = 4096;
// What librdkafka keeps beside each queued message, measured with 2.0.2.
constexpr size_t queued_message_overhead_bytes = 400;
constexpr size_t queue_bytes_min = 1U << 20;
// Beyond that queued.max.messages.kbytes overflows.
constexpr size_t queue_bytes_limit = size_t{2'097'151} << 10;
// See wake_fetcher().
constexpr std::chrono::milliseconds wake_interval{20};
// What a question may take while records are read: it must not hold up the source's end.
constexpr std::chrono::milliseconds watch_timeout{2'000};

const std::array source_fixed_without_group = {
    KafkaSetting{"enable.auto.commit", "false"},
    KafkaSetting{"enable.auto.offset.store", "false"},
    // Where the ledger's offset is not in the log, nobody chooses another one.
    KafkaSetting{"auto.offset.reset", "error"},
    // Tells the position behind a log's last marker, and that the end is reached.
    KafkaSetting{"enable.partition.eof", "true"},
    // A flipped bit between the disks of the broker and us must not be billed.
    KafkaSetting{"check.crcs", "true"},
};

// The messages behind a batch's views.
struct Messages {
  explicit Messages(std::shared_ptr<KafkaClient> owner) : client(std::move(owner)) {}
  ~Messages() {
    for (auto* message : list) rd_kafka_message_destroy(message);
  }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  std::shared_ptr<KafkaClient> client;  // has to outlive its messages
  std::vector<rd_kafka_message_t*> list;
};

struct Slot {
  int64_t next_offset = 0;
  int64_t target = -1;           // until_end: read up to here
  int64_t reported_offset = -1;  // the position that the batches so far imply
  // The last record handed over; its bytes are hashed at the end of the poll.
  const rd_kafka_message_t* last_message = nullptr;
};

}  // namespace

struct KafkaSource::Impl {
  explicit Impl(KafkaConfig given) : config(std::move(given)) {}
  ~Impl();

  Result<void> create_client();
  Result<void> check(std::span<const KafkaPosition> stored);
  Result<void> begin(std::span<const KafkaPosition> stored);
  Result<void> ask_targets();

  Result<void> fill(RecordBatch& batch, size_t records_max, size_t bytes_max,
                    std::chrono::milliseconds wait);
  void refill(size_t records_max, std::chrono::milliseconds wait);
  Result<void> take(RecordBatch& batch, Messages& kept, size_t records_max, size_t bytes_max);
  Result<void> take_record(RecordBatch& batch, Messages& kept, rd_kafka_message_t* message);
  void add_headers(RecordBatch& batch, Record& record, const rd_kafka_message_t* message);
  Result<void> move_to(Slot& slot, int32_t partition, int64_t offset);
  Result<void> take_event(const rd_kafka_message_t& message);
  Error explain_reset(int32_t partition) const;
  void report_positions(RecordBatch& batch);
  Result<void> end(RecordBatch& batch);
  void publish();
  bool targets_reached() const;

  bool behind() const;
  int64_t heard_end(int32_t partition) const;
  void keep_fetcher_awake(size_t records_max);
  void wake_fetcher();

  const KafkaConfig config;
  std::unique_ptr<KafkaProbe> probe;
  std::vector<PartitionName> names;
  std::shared_ptr<KafkaClient> client;
  KafkaTopic topic;
  KafkaQueue queue;
  std::unique_ptr<KafkaGroup> group;  // of commit()
  std::unique_ptr<KafkaWatch> watch;
  std::vector<Slot> slots;
  // Taken from librdkafka, not yet in a batch.
  std::vector<rd_kafka_message_t*> pending;
  size_t pending_begin = 0;
  std::optional<Error> failure;
  std::vector<KafkaPosition> moved;  // scratch of publish()
  Clock::time_point woken;
  const bool fetcher_sleeps = rd_kafka_version() < 0x02020000;

  // What stats() reads from other threads.
  mutable std::mutex stats_mutex;
  KafkaStats counted;
};

Result<std::unique_ptr<KafkaSource>> KafkaSource::connect(KafkaConfig config) {
  if (config.queue_bytes_max < queue_bytes_min || config.queue_bytes_max > queue_bytes_limit)
    return invalid_argument(
        fmt::format("kafka queue_bytes_max is {}; it has to lie between {} and {}",
                    config.queue_bytes_max, queue_bytes_min, queue_bytes_limit));
  auto impl = std::make_unique<Impl>(std::move(config));
  TRY(impl->create_client());
  TRY(impl->probe, KafkaProbe::connect(impl->config.connection, impl->config.topic));
  for (int32_t i = 0; i < impl->probe->partition_count(); ++i)
    impl->names.push_back({impl->probe->name(), i});
  return std::unique_ptr<KafkaSource>(new KafkaSource(std::move(impl)));
}

KafkaSource::KafkaSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaSource::~KafkaSource() = default;

KafkaSource::Impl::~Impl() {
  watch.reset();
  group.reset();
  for (size_t i = pending_begin; i < pending.size(); ++i) rd_kafka_message_destroy(pending[i]);
  if (queue)
    for (size_t i = 0; i < slots.size(); ++i)
      rd_kafka_consume_stop(topic.get(), static_cast<int32_t>(i));
}

const std::vector<PartitionName>& KafkaSource::partitions() const { return impl_->names; }

Result<void> KafkaSource::Impl::create_client() {
  // Half of the memory for payloads, half for what librdkafka keeps beside them.
  const auto half = config.queue_bytes_max / 2;
  const std::array defaults = {
      KafkaSetting{"queued.min.messages",
                   std::to_string(std::max(half / queued_message_overhead_bytes, size_t{1000}))},
      KafkaSetting{"queued.max.messages.kbytes", std::to_string(half >> 10)},
      KafkaSetting{"fetch.message.max.bytes", "2097152"},
      KafkaSetting{"fetch.wait.max.ms", "100"},
      KafkaSetting{"socket.nagle.disable", "true"},
      KafkaSetting{"reconnect.backoff.max.ms", "2000"},
      KafkaSetting{"client.id", "gauger"},
  };
  std::vector<KafkaSetting> fixed(source_fixed_without_group.begin(),
                                  source_fixed_without_group.end());
  fixed.push_back({"group.id", config.group_id});
  // From 2.2 on the fetcher looks again by itself; before, see wake_fetcher().
  const std::array if_known = {KafkaSetting{"fetch.queue.backoff.ms", "5"}};
  KafkaClientOptions options;
  options.defaults = defaults;
  options.fixed = fixed;
  options.if_known = if_known;
  TRY(client, KafkaClient::create(config.connection, options));
  TRY(topic, open_topic(*client, config.topic));
  return success();
}

// --- start --------------------------------------------------------------------------------

Result<void> KafkaSource::start(std::span<const KafkaPosition> stored) {
  VERIFY(!impl_->queue, "a source is started once");
  TRY(impl_->check(stored));
  return impl_->begin(stored);
}

Result<void> KafkaSource::Impl::check(std::span<const KafkaPosition> stored) {
  if (!stored.empty()) {
    TRY(probe->check_partition_count(stored.size(), probe->partition_count()));
  }
  slots.resize(static_cast<size_t>(probe->partition_count()));
  std::vector<bool> seen(slots.size());
  TRY(const auto logs, probe->ask_logs());
  for (const auto& position : stored) {
    const auto index = static_cast<size_t>(position.partition);
    VERIFY(position.partition >= 0 && index < seen.size() && !seen[index],
           "one stored position per partition");
    VERIFY(position.record_offset < position.next_offset, "the last record lies before the next");
    seen[index] = true;
    slots[index].next_offset = position.next_offset;
    TRY(probe->check_offset(position.partition, position.next_offset, logs[index]));
  }
  TRY(const auto unchecked, probe->check_records(stored));
  counted.unchecked_partitions = unchecked;
  return success();
}

// librdkafka's simple consumer: partitions and offsets are said, nothing is negotiated, and
// none of the group machinery can move us. A new ledger begins where the log does by then.
Result<void> KafkaSource::Impl::begin(std::span<const KafkaPosition> stored) {
  std::vector<KafkaPosition> positions(stored.begin(), stored.end());
  if (stored.empty()) {
    TRY(const auto logs, probe->ask_logs());
    for (size_t i = 0; i < slots.size(); ++i) {
      positions.push_back({static_cast<int32_t>(i), logs[i].begin, -1, 0});
      slots[i].next_offset = logs[i].begin;
    }
  }
  if (config.until_end) {
    TRY(ask_targets());
  }
  std::ranges::sort(positions, {}, &KafkaPosition::partition);
  queue.reset(rd_kafka_queue_new(client->handle()));
  for (const auto& position : positions) {
    const auto offset = stored.empty() ? int64_t{RD_KAFKA_OFFSET_BEGINNING} : position.next_offset;
    if (rd_kafka_consume_start_queue(topic.get(), position.partition, offset, queue.get()))
      return client->error("starting to read", rd_kafka_last_error());
  }
  probe->set_timeout(watch_timeout);
  const KafkaWatch::Config watching{config.look_interval, config.recheck_interval};
  watch = std::make_unique<KafkaWatch>(*probe, watching, std::move(positions),
                                       [this] { wake_fetcher(); });
  return success();
}

// Asked with the stream's own isolation: the end of what can be read now.
Result<void> KafkaSource::Impl::ask_targets() {
  TRY(const auto ends, ask_offsets(*client, config.topic, slots.size(), RD_KAFKA_OFFSET_END,
                                   config.connection.timeout));
  for (size_t i = 0; i < slots.size(); ++i) slots[i].target = ends[i];
  return success();
}

// --- poll ---------------------------------------------------------------------------------

Result<void> KafkaSource::poll(RecordBatch& batch, size_t records_max, size_t bytes_max,
                               std::chrono::milliseconds wait) {
  auto& impl = *impl_;
  VERIFY(impl.queue, "start comes before poll");
  VERIFY(batch.records.empty() && batch.owners.empty(), "a batch is given back before it is used");
  VERIFY(records_max > 0 && bytes_max > 0, "an empty batch would never end");
  if (!impl.failure) impl.failure = impl.watch->failure();
  if (!impl.failure)
    if (auto filled = impl.fill(batch, records_max, bytes_max, wait); !filled)
      impl.failure = std::move(filled.error());
  if (impl.failure) return *impl.failure;
  impl.report_positions(batch);
  impl.publish();
  if (impl.targets_reached()) return impl.end(batch);
  return success();
}

Result<void> KafkaSource::Impl::fill(RecordBatch& batch, size_t records_max, size_t bytes_max,
                                     std::chrono::milliseconds wait) {
  const auto deadline = Clock::now() + wait;
  rd_kafka_poll(client->handle(), 0);  // errors, and answers to commits
  const auto kept = std::make_shared<Messages>(client);
  kept->list.reserve(records_max);
  batch.records.reserve(records_max);
  batch.owners.push_back(kept);
  while (batch.records.size() < records_max && batch.bytes < bytes_max) {
    if (pending_begin == pending.size()) {
      refill(std::min(records_max - batch.records.size(), chunk_records_max), 0ms);
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (pending.empty() && (!batch.records.empty() || targets_reached() || left <= 0ms)) break;
      if (pending.empty()) {
        keep_fetcher_awake(records_max);
        refill(1, fetcher_sleeps ? std::min(left, wake_interval) : left);
      }
      if (pending.empty()) continue;
    }
    const auto begun = pending_begin;
    TRY(take(batch, *kept, records_max, bytes_max));
    if (pending_begin == begun) break;  // the next record is for the next batch
  }
  if (batch.records.empty()) {
    batch.owners.clear();
    const bool waiting = behind();
    const std::lock_guard lock(stats_mutex);
    counted.empty_polls_behind += waiting;
  }
  keep_fetcher_awake(records_max);
  return success();
}

// Given a time to wait, librdkafka uses it up to fill the whole array: it is given for one
// record only.
void KafkaSource::Impl::refill(size_t records_max, std::chrono::milliseconds wait) {
  pending.resize(records_max);
  pending_begin = 0;
  const auto count = rd_kafka_consume_batch_queue(queue.get(), static_cast<int>(wait.count()),
                                                  pending.data(), records_max);
  pending.resize(count > 0 ? static_cast<size_t>(count) : 0);
}

Result<void> KafkaSource::Impl::take(RecordBatch& batch, Messages& kept, size_t records_max,
                                     size_t bytes_max) {
  while (pending_begin < pending.size() && batch.records.size() < records_max) {
    auto* message = pending[pending_begin];
    if (!message->err && !batch.records.empty() && batch.bytes + message->len > bytes_max)
      return success();
    ++pending_begin;
    if (!message->err && message->payload) {
      TRY(take_record(batch, kept, message));
      continue;
    }
    const KafkaMessage owned(message);
    if (message->err) {
      TRY(take_event(*message));
      continue;
    }
    TRY(move_to(slots[static_cast<size_t>(message->partition)], message->partition,
                message->offset));
    ++slots[static_cast<size_t>(message->partition)].next_offset;
    const std::lock_guard lock(stats_mutex);
    ++counted.null_values;
  }
  return success();
}

Result<void> KafkaSource::Impl::take_record(RecordBatch& batch, Messages& kept,
                                            rd_kafka_message_t* message) {
  kept.list.push_back(message);
  auto& slot = slots[static_cast<size_t>(message->partition)];
  if (message->offset != slot.next_offset) {
    TRY(move_to(slot, message->partition, message->offset));
  }
  slot.next_offset = message->offset + 1;
  slot.reported_offset = slot.next_offset;
  slot.last_message = message;
  Record record{{static_cast<const char*>(message->payload), message->len},
                message->offset,
                static_cast<uint32_t>(message->partition)};
  if (config.headers) add_headers(batch, record, message);
  batch.records.push_back(record);
  batch.bytes += message->len;
  return success();
}

void KafkaSource::Impl::add_headers(RecordBatch& batch, Record& record,
                                    const rd_kafka_message_t* message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers)) return;
  record.headers_begin = static_cast<uint32_t>(batch.headers.size());
  const char* name = nullptr;
  const void* value = nullptr;
  size_t bytes = 0;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &bytes); ++i)
    batch.headers.push_back({name, {static_cast<const char*>(value), value ? bytes : 0}});
  record.headers_count = static_cast<uint32_t>(batch.headers.size() - record.headers_begin);
}

// Offsets may jump forward over what holds no record. Backward, the log is another one.
Result<void> KafkaSource::Impl::move_to(Slot& slot, int32_t partition, int64_t offset) {
  if (offset < slot.next_offset)
    return probe->refused(partition,
                          fmt::format("the log went back from offset {} to {}: the topic was made "
                                      "anew or cut off at its end",
                                      slot.next_offset, offset));
  const std::lock_guard lock(stats_mutex);
  counted.gap_offsets += static_cast<uint64_t>(offset - slot.next_offset);
  slot.next_offset = offset;
  return success();
}

// Everything that librdkafka says in place of a record. What concerns one partition and is not
// known to pass ends the intake: reading on would leave records out.
Result<void> KafkaSource::Impl::take_event(const rd_kafka_message_t& message) {
  const bool of_partition = message.rkt && message.partition >= 0 &&
                            static_cast<size_t>(message.partition) < slots.size();
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return move_to(slots[static_cast<size_t>(message.partition)], message.partition,
                     message.offset);
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return explain_reset(message.partition);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      // A broker that starts may say so, too; the watch finds out.
      watch->look_now();
      return success();
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: break;
    default:
      if (of_partition)
        return client->error(
            fmt::format(
                "reading topic '{}' partition {}: {}", config.topic, message.partition,
                message.payload
                    ? std::string_view(static_cast<const char*>(message.payload), message.len)
                    : std::string_view("no detail")),
            message.err);
  }
  const std::lock_guard lock(stats_mutex);
  ++counted.broker_errors;
  return success();
}

// The broker does not know the offset that we asked for: which end was cut off?
Error KafkaSource::Impl::explain_reset(int32_t partition) const {
  const auto index = static_cast<size_t>(partition);
  const auto next_offset = slots[index].next_offset;
  auto why = fmt::format("the broker did not know offset {}", next_offset);
  if (const auto logs = probe->ask_logs()) {
    const auto& log = logs.value()[index];
    if (auto checked = probe->check_offset(partition, next_offset, log); !checked)
      return std::move(checked.error());
    why += fmt::format(", although its log runs from {} to {}", log.begin, log.end);
  }
  return probe->refused(partition, why + ": the topic was made anew or cut off at its end");
}

void KafkaSource::Impl::report_positions(RecordBatch& batch) {
  for (size_t i = 0; i < slots.size(); ++i) {
    auto& slot = slots[i];
    if (slot.next_offset <= slot.reported_offset) continue;
    slot.reported_offset = slot.next_offset;
    batch.positions.push_back({static_cast<uint32_t>(i), slot.next_offset});
  }
}

// The end is said once the log is known to be the one that was read: nobody watches it after
// that. While brokers are away the end waits for them.
Result<void> KafkaSource::Impl::end(RecordBatch& batch) {
  const auto confirmed = watch->confirm();
  batch.at_end = confirmed.has_value();
  if (confirmed || confirmed.error().code == ErrorCode::unavailable) return success();
  failure = confirmed.error();
  return *failure;
}

bool KafkaSource::Impl::targets_reached() const {
  return config.until_end && std::ranges::all_of(slots, [](const Slot& slot) {
           return slot.next_offset >= slot.target;
         });
}

// Tells the watch and stats() where we are. Called before the batch leaves: its last messages
// are alive.
void KafkaSource::Impl::publish() {
  moved.clear();
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto* last = std::exchange(slots[i].last_message, nullptr);
    if (!last) continue;
    const std::string_view value(static_cast<const char*>(last->payload), last->len);
    moved.push_back(
        {static_cast<int32_t>(i), slots[i].next_offset, last->offset, ledger::hash64(value)});
  }
  if (!moved.empty()) watch->read(moved);
  const std::lock_guard lock(stats_mutex);
  counted.partitions.resize(slots.size());
  for (size_t i = 0; i < slots.size(); ++i)
    counted.partitions[i].next_offset = slots[i].next_offset;
}

// --- the fetcher --------------------------------------------------------------------------

// As the last answer to a fetch said; no question is asked.
int64_t KafkaSource::Impl::heard_end(int32_t partition) const {
  int64_t begin = -1;
  int64_t end = -1;
  rd_kafka_get_watermark_offsets(client->handle(), config.topic.c_str(), partition, &begin, &end);
  return std::max(end, int64_t{-1});
}

// Of a partition that was not fetched from yet nothing is known.
bool KafkaSource::Impl::behind() const {
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto end = heard_end(static_cast<int32_t>(i));
    if (end < 0 || end > slots[i].next_offset) return true;
  }
  return false;
}

// librdkafka before 2.2 sleeps for up to a second where it has nothing to fetch: at the start,
// and with a full queue, which has long been empty when it looks again. Any request to the
// broker wakes it.
void KafkaSource::Impl::keep_fetcher_awake(size_t records_max) {
  if (!fetcher_sleeps) return;
  const auto now = Clock::now();
  if (now - woken < wake_interval) return;
  if (rd_kafka_queue_length(queue.get()) >= 2 * records_max || !behind()) return;
  woken = now;
  {
    const std::lock_guard lock(stats_mutex);
    ++counted.fetcher_wakes;
  }
  watch->wake();
}

// On the watch's thread. Asks each broker that leads a partition.
void KafkaSource::Impl::wake_fetcher() {
  static_cast<void>(ask_offsets(*client, config.topic, names.size(), RD_KAFKA_OFFSET_END, 100ms));
}

// --- beside the stream --------------------------------------------------------------------

Result<void> KafkaSource::commit(std::span<const int64_t> next_offsets) {
  auto& impl = *impl_;
  if (impl.config.group_id.empty()) return success();
  VERIFY(next_offsets.size() == impl.names.size(), "one offset per slot");
  if (!impl.group) impl.group = std::make_unique<KafkaGroup>(impl.client, impl.config.topic);
  return impl.group->publish(next_offsets);
}

Result<std::vector<int64_t>> KafkaSource::end_offsets() const {
  std::vector<int64_t> ends;
  TRY(const auto logs, impl_->probe->ask_logs());
  for (const auto& log : logs) ends.push_back(log.end);
  return ends;
}

KafkaStats KafkaSource::stats() const {
  KafkaStats stats;
  {
    const std::lock_guard lock(impl_->stats_mutex);
    stats = impl_->counted;
  }
  for (size_t i = 0; i < stats.partitions.size(); ++i) {
    auto& partition = stats.partitions[i];
    partition.end_offset = impl_->heard_end(static_cast<int32_t>(i));
    stats.lag += std::max(partition.end_offset - partition.next_offset, int64_t{0});
  }
  stats.broker_errors += impl_->client->errors();
  if (impl_->watch)
    stats.unchecked_partitions =
        std::max(stats.unchecked_partitions, uint64_t{impl_->watch->unchecked()});
  stats.last_complaint = impl_->client->last_complaint();
  return stats;
}

}  // namespace gauger::ingest
