#include "ingest/kafka_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

#include "ingest/kafka_client.h"
#include "ingest/kafka_group.h"
#include "ingest/kafka_probe.h"
#include "ingest/kafka_stream.h"
#include "ingest/kafka_watch.h"
#include "ledger/hash.h"
#include "schemas/verify.h"

namespace gauger::ingest {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

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

}  // namespace

struct KafkaSource::Impl {
  explicit Impl(KafkaConfig given) : config(std::move(given)) {}
  ~Impl();

  Result<void> create_client();
  Result<void> check(std::span<const KafkaPosition> stored);
  Result<void> begin(std::span<const KafkaPosition> stored);

  Result<void> fill(RecordBatch& batch, size_t records_max, size_t bytes_max,
                    std::chrono::milliseconds wait);
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
  std::unique_ptr<KafkaStream> stream;
  std::unique_ptr<KafkaGroup> group;  // of commit()
  std::unique_ptr<KafkaWatch> watch;
  std::vector<int64_t> targets;  // until_end: read up to here, by partition
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
  impl->stream = std::make_unique<KafkaStream>(impl->client, *impl->probe, impl->config.topic,
                                               impl->config.headers);
  TRY(impl->stream->open(static_cast<size_t>(impl->probe->partition_count())));
  for (int32_t i = 0; i < impl->probe->partition_count(); ++i)
    impl->names.push_back({impl->probe->name(), i});
  return std::unique_ptr<KafkaSource>(new KafkaSource(std::move(impl)));
}

KafkaSource::KafkaSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaSource::~KafkaSource() = default;

KafkaSource::Impl::~Impl() {
  watch.reset();
  group.reset();
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
  return success();
}

// --- start --------------------------------------------------------------------------------

Result<void> KafkaSource::start(std::span<const KafkaPosition> stored) {
  VERIFY(!impl_->stream->is_started(), "a source is started once");
  TRY(impl_->check(stored));
  return impl_->begin(stored);
}

Result<void> KafkaSource::Impl::check(std::span<const KafkaPosition> stored) {
  if (!stored.empty()) {
    TRY(probe->check_partition_count(stored.size(), probe->partition_count()));
  }
  std::vector<bool> seen(names.size());
  TRY(const auto logs, probe->ask_logs());
  for (const auto& position : stored) {
    const auto index = static_cast<size_t>(position.partition);
    VERIFY(position.partition >= 0 && index < seen.size() && !seen[index],
           "one stored position per partition");
    VERIFY(position.record_offset < position.next_offset, "the last record lies before the next");
    seen[index] = true;
    TRY(probe->check_offset(position.partition, position.next_offset, logs[index]));
  }
  TRY(const auto unchecked, probe->check_records(stored));
  counted.unchecked_partitions = unchecked;
  return success();
}

// A new ledger begins where the log does by then.
Result<void> KafkaSource::Impl::begin(std::span<const KafkaPosition> stored) {
  std::vector<KafkaPosition> positions(stored.begin(), stored.end());
  if (stored.empty()) {
    TRY(const auto logs, probe->ask_logs());
    for (size_t i = 0; i < names.size(); ++i)
      positions.push_back({static_cast<int32_t>(i), logs[i].begin, -1, 0});
  }
  if (config.until_end) {
    TRY(targets, ask_offsets(*client, config.topic, names.size(), RD_KAFKA_OFFSET_END,
                             config.connection.timeout));
  }
  std::ranges::sort(positions, {}, &KafkaPosition::partition);
  TRY(stream->start(positions, stored.empty()));
  probe->set_timeout(watch_timeout);
  const KafkaWatch::Config watching{config.look_interval, config.recheck_interval};
  watch = std::make_unique<KafkaWatch>(*probe, watching, std::move(positions),
                                       [this] { wake_fetcher(); });
  return success();
}

// --- poll ---------------------------------------------------------------------------------

Result<void> KafkaSource::poll(RecordBatch& batch, size_t records_max, size_t bytes_max,
                               std::chrono::milliseconds wait) {
  auto& impl = *impl_;
  VERIFY(impl.stream->is_started(), "start comes before poll");
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
  for (;;) {
    TRY(const bool came, stream->take(batch, records_max, bytes_max, 0ms));
    if (stream->is_doubtful()) watch->look_now();
    if (came) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (!batch.records.empty() || targets_reached() || left <= 0ms) break;
    keep_fetcher_awake(records_max);
    TRY(stream->take(batch, records_max, bytes_max,
                     fetcher_sleeps ? std::min(left, wake_interval) : left));
  }
  if (batch.records.empty()) {
    const bool waiting = behind();
    const std::lock_guard lock(stats_mutex);
    counted.empty_polls_behind += waiting;
  }
  keep_fetcher_awake(records_max);
  return success();
}

void KafkaSource::Impl::report_positions(RecordBatch& batch) {
  auto& places = stream->places();
  for (size_t i = 0; i < places.size(); ++i) {
    auto& place = places[i];
    if (place.next_offset <= place.reported_offset) continue;
    place.reported_offset = place.next_offset;
    batch.positions.push_back({static_cast<uint32_t>(i), place.next_offset});
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
  if (!config.until_end) return false;
  const auto& places = stream->places();
  for (size_t i = 0; i < places.size(); ++i)
    if (places[i].next_offset < targets[i]) return false;
  return true;
}

// Tells the watch and stats() where we are. Called before the batch leaves: its last records
// are alive.
void KafkaSource::Impl::publish() {
  auto& places = stream->places();
  moved.clear();
  for (size_t i = 0; i < places.size(); ++i) {
    auto& place = places[i];
    const auto last_offset = std::exchange(place.last_offset, -1);
    if (last_offset >= 0)
      moved.push_back({static_cast<int32_t>(i), place.next_offset, last_offset,
                       ledger::hash64(place.last_value)});
  }
  if (!moved.empty()) watch->read(moved);
  const auto& counts = stream->counts();
  const std::lock_guard lock(stats_mutex);
  counted.gap_offsets = counts.gap_offsets;
  counted.null_values = counts.null_values;
  counted.broker_errors = counts.broker_errors;
  counted.partitions.resize(places.size());
  for (size_t i = 0; i < places.size(); ++i)
    counted.partitions[i].next_offset = places[i].next_offset;
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
  const auto& places = stream->places();
  for (size_t i = 0; i < places.size(); ++i) {
    const auto end = heard_end(static_cast<int32_t>(i));
    if (end < 0 || end > places[i].next_offset) return true;
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
  if (stream->fetched() >= 2 * records_max || !behind()) return;
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
