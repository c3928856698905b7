#include "ingest/kafka_stream.h"

#include <fmt/format.h>

#include <cstring>

namespace gauger::ingest {
namespace {

constexpr size_t chunk_bytes = size_t{1} << 20U;

std::string_view value_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.len};
}

}  // namespace

KafkaStream::KafkaStream(std::shared_ptr<KafkaClient> client, const KafkaProbe& probe,
                         std::string topic_name, bool headers)
    : client_(std::move(client)),
      probe_(probe),
      topic_name_(std::move(topic_name)),
      headers_(headers),
      chunks_(chunk_bytes) {}

KafkaStream::~KafkaStream() {
  if (queue_)
    for (size_t i = 0; i < places_.size(); ++i)
      rd_kafka_consume_stop(topic_.get(), static_cast<int32_t>(i));
}

Result<void> KafkaStream::open(size_t partition_count) {
  places_.resize(partition_count);
  TRY(topic_, open_topic(*client_, topic_name_));
  return success();
}

Result<void> KafkaStream::start(std::span<const KafkaPosition> positions, bool from_beginning) {
  queue_.reset(rd_kafka_queue_new(client_->handle()));
  for (const auto& position : positions) {
    places_[static_cast<size_t>(position.partition)].next_offset = position.next_offset;
    const auto offset = from_beginning ? int64_t{RD_KAFKA_OFFSET_BEGINNING} : position.next_offset;
    if (rd_kafka_consume_start_queue(topic_.get(), position.partition, offset, queue_.get()))
      return client_->error("starting to read", rd_kafka_last_error());
  }
  return success();
}

// --- records --------------------------------------------------------------------------------

Result<bool> KafkaStream::take(RecordBatch& batch, size_t records_max, size_t bytes_max,
                               std::chrono::milliseconds wait) {
  batch_ = &batch;
  records_max_ = records_max;
  bytes_max_ = bytes_max;
  bool came = false;
  if (!waiting_.records.empty() && !is_full()) {
    came = true;
    hand_over_waiting();
  }
  // All messages of the queue are taken under one lock of it, and what the callback leaves is put
  // back; a call that fills an array locks it for each.
  if (!failure_ && waiting_.records.empty() && !is_full())
    came |= rd_kafka_consume_callback_queue(queue_.get(), static_cast<int>(wait.count()),
                                            on_message, this) > 0;
  if (failure_) return *failure_;
  if (const auto event = std::exchange(event_, std::nullopt)) {
    TRY(take_event(*event));
  }
  return came;
}

void KafkaStream::on_message(rd_kafka_message_t* message, void* stream) noexcept {
  auto& self = *static_cast<KafkaStream*>(stream);
  if (!self.take_message(*message)) rd_kafka_yield(self.client_->handle());
}

// False: no more of them now.
bool KafkaStream::take_message(const rd_kafka_message_t& message) {
  if (!message.err && message.payload) return take_record(message);
  if (message.err) {
    event_ = Event{message.err, message.rkt != nullptr, message.partition, message.offset,
                   message.payload ? std::string(value_of(message)) : std::string()};
    return false;
  }
  auto& place = places_[static_cast<size_t>(message.partition)];
  if (auto moved = move_to(place, message.partition, message.offset); !moved) {
    failure_ = std::move(moved.error());
    return false;
  }
  ++place.next_offset;
  ++counts_.null_values;
  return true;
}

bool KafkaStream::take_record(const rd_kafka_message_t& message) {
  if (!batch_->records.empty() && batch_->bytes + message.len > bytes_max_) {
    append(waiting_, message);
    return false;
  }
  append(*batch_, message);
  return move_past(batch_->records.back()) && !is_full();
}

bool KafkaStream::is_full() const {
  return batch_->records.size() >= records_max_ || batch_->bytes >= bytes_max_ ||
         (!batch_->records.empty() && !waiting_.records.empty() &&
          batch_->bytes + waiting_.bytes > bytes_max_);
}

void KafkaStream::append(RecordBatch& batch, const rd_kafka_message_t& message) {
  Record record{keep(batch, value_of(message)), message.offset,
                static_cast<uint32_t>(message.partition)};
  if (headers_) append_headers(batch, record, message);
  batch.records.push_back(record);
  batch.bytes += message.len;
}

void KafkaStream::append_headers(RecordBatch& batch, Record& record,
                                 const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers)) return;
  record.headers_begin = static_cast<uint32_t>(batch.headers.size());
  const char* name = nullptr;
  const void* value = nullptr;
  size_t bytes = 0;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &bytes); ++i)
    batch.headers.push_back(
        {keep(batch, name), keep(batch, {static_cast<const char*>(value), value ? bytes : 0})});
  record.headers_count = static_cast<uint32_t>(batch.headers.size() - record.headers_begin);
}

std::string_view KafkaStream::keep(RecordBatch& batch, std::string_view bytes) {
  if (bytes.size() > chunk_bytes) {
    auto alone = std::make_shared_for_overwrite<char[]>(bytes.size());
    std::memcpy(alone.get(), bytes.data(), bytes.size());
    // Before the chunk, which stays last so that it is found.
    batch.owners.insert(batch.owners.begin(), alone);
    return {alone.get(), bytes.size()};
  }
  if (!chunk_ || chunk_bytes - chunk_used_ < bytes.size()) {
    chunk_ = chunks_.take();
    chunk_used_ = 0;
  }
  if (batch.owners.empty() || batch.owners.back() != chunk_) batch.owners.push_back(chunk_);
  auto* const at = chunk_.get() + chunk_used_;
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  chunk_used_ += bytes.size();
  return {at, bytes.size()};
}

void KafkaStream::hand_over_waiting() {
  auto record = waiting_.records[0];
  record.headers_begin += static_cast<uint32_t>(batch_->headers.size());
  batch_->headers.insert(batch_->headers.end(), waiting_.headers.begin(), waiting_.headers.end());
  batch_->owners.insert(batch_->owners.end(), waiting_.owners.begin(), waiting_.owners.end());
  batch_->bytes += waiting_.bytes;
  batch_->records.push_back(record);
  waiting_.clear();
  move_past(record);
}

// Where the records of a batch lie says where its partitions stand.
bool KafkaStream::move_past(const Record& record) {
  auto& place = places_[record.partition];
  if (record.offset != place.next_offset) {
    auto moved = move_to(place, static_cast<int32_t>(record.partition), record.offset);
    if (!moved) failure_ = std::move(moved.error());
    if (failure_) return false;
  }
  place.next_offset = record.offset + 1;
  place.reported_offset = place.next_offset;
  place.last_offset = record.offset;
  place.last_value = record.bytes;
  return true;
}

// Offsets may jump forward over what holds no record. Backward, the log is another one.
Result<void> KafkaStream::move_to(Place& place, int32_t partition, int64_t offset) {
  if (offset < place.next_offset)
    return probe_.refused(partition,
                          fmt::format("the log went back from offset {} to {}: the topic was made "
                                      "anew or cut off at its end",
                                      place.next_offset, offset));
  counts_.gap_offsets += static_cast<uint64_t>(offset - place.next_offset);
  place.next_offset = offset;
  return success();
}

// --- what is said in place of a record ------------------------------------------------------

// What concerns one partition and is not known to pass ends the intake: reading on would leave
// records out.
Result<void> KafkaStream::take_event(const Event& event) {
  const bool of_partition = event.of_topic && event.partition >= 0 &&
                            static_cast<size_t>(event.partition) < places_.size();
  switch (event.code) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return move_to(places_[static_cast<size_t>(event.partition)], event.partition, event.offset);
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return explain_reset(event.partition);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      // A broker that starts may say so, too; the watch finds out.
      doubtful_ = true;
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
        return client_->error(
            fmt::format("reading topic '{}' partition {}: {}", topic_name_, event.partition,
                        event.detail.empty() ? std::string_view("no detail")
                                             : std::string_view(event.detail)),
            event.code);
  }
  ++counts_.broker_errors;
  return success();
}

// The broker does not know the offset that we asked for: which end was cut off?
Error KafkaStream::explain_reset(int32_t partition) const {
  const auto index = static_cast<size_t>(partition);
  const auto next_offset = places_[index].next_offset;
  auto why = fmt::format("the broker did not know offset {}", next_offset);
  if (const auto logs = probe_.ask_logs()) {
    const auto& log = logs.value()[index];
    if (auto checked = probe_.check_offset(partition, next_offset, log); !checked)
      return std::move(checked.error());
    why += fmt::format(", although its log runs from {} to {}", log.begin, log.end);
  }
  return probe_.refused(partition, why + ": the topic was made anew or cut off at its end");
}

}  // namespace gauger::ingest
