#include "tools/load/produce.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "ingest/file_source.h"
#include "ingest/kafka_producer.h"
#include "tools/load/random.h"
#include "tools/progress.h"

namespace gauger::load {
namespace {

using Clock = std::chrono::steady_clock;
using ingest::KafkaRecord;
using ingest::RecordBatch;

constexpr size_t batch_records = 8192;
constexpr size_t batch_bytes = 8U << 20;
// Long enough to compress well in one partition, short enough to spread a small file.
constexpr size_t turn_records = 64;
constexpr std::chrono::minutes flush_timeout{5};
constexpr uint64_t rate_slices_per_second = 50;

// Sends records in the order given, at the rate asked for.
class Sender {
 public:
  Sender(ingest::KafkaProducer& producer, const ProduceOptions& options)
      : producer_(producer), options_(options), begun_(Clock::now()) {}

  Result<void> send(std::span<const std::string_view> values) {
    while (!values.empty()) {
      const auto now = values.first(std::min(values.size(), slice_records()));
      values = values.subspan(now.size());
      records_.clear();
      for (const auto value : now) {
        records_.push_back({value, partition_of(value), options_.key});
        bytes_ += value.size();
        ++count_;
      }
      // librdkafka takes a run of records of one partition faster than single ones.
      if (options_.spread == Spread::hash)
        std::ranges::stable_sort(records_, {}, &KafkaRecord::partition);
      TRY(producer_.send(records_));
      if (options_.rate > 0)
        std::this_thread::sleep_until(
            begun_ + std::chrono::microseconds(count_ * 1'000'000 / options_.rate));
    }
    return success();
  }

  Produced produced() const {
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begun_);
    return {count_, bytes_, static_cast<uint64_t>(took.count())};
  }

 private:
  size_t slice_records() const {
    if (options_.rate == 0) return batch_records;
    return std::clamp(options_.rate / rate_slices_per_second, uint64_t{1}, uint64_t{batch_records});
  }

  int32_t partition_of(std::string_view value) const {
    const auto count = static_cast<uint64_t>(producer_.partition_count());
    switch (options_.spread) {
      case Spread::turns: return static_cast<int32_t>(count_ / turn_records % count);
      case Spread::hash:
        return static_cast<int32_t>(XXH3_64bits(value.data(), value.size()) % count);
      case Spread::key: return ingest::KafkaProducer::by_key;
    }
    return 0;
  }

  ingest::KafkaProducer& producer_;
  const ProduceOptions& options_;
  const Clock::time_point begun_;
  std::vector<KafkaRecord> records_;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
};

Result<void> read(ingest::FileSource& files, RecordBatch& batch,
                  std::vector<std::string_view>& values) {
  batch.clear();
  TRY(files.poll(batch, batch_records, batch_bytes, std::chrono::hours{1}));
  for (const auto& record : batch.records) {
    if (record.defect != RejectReason::none)
      return invalid_argument(fmt::format("{}, record {}: {}",
                                          files.partitions()[record.partition].source,
                                          record.offset, ingest::defect_sentence(record.defect)));
    values.push_back(record.bytes);
  }
  return success();
}

Result<void> send_in_order(ingest::FileSource& files, Sender& sender) {
  tools::Progress progress("produce", "bytes", static_cast<uint64_t>(files.bytes_total()));
  RecordBatch batch;
  std::vector<std::string_view> values;
  while (!batch.at_end) {
    values.clear();
    TRY(read(files, batch, values));
    TRY(sender.send(values));
    progress.advance_to(static_cast<uint64_t>(files.bytes_done()));
  }
  return success();
}

Result<void> send_shuffled(ingest::FileSource& files, Sender& sender, uint64_t seed) {
  std::vector<RecordBatch> batches(1);
  std::vector<std::string_view> values;
  while (!batches.back().at_end) {
    TRY(read(files, batches.emplace_back(), values));
  }
  Random random(seed);
  for (size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[random.below(static_cast<uint64_t>(i))]);
  tools::Progress progress("produce", "records", values.size());
  for (size_t done = 0; done < values.size(); done += batch_records) {
    const auto count = std::min(batch_records, values.size() - done);
    TRY(sender.send(std::span(values).subspan(done, count)));
    progress.advance_to(done + count);
  }
  return success();
}

Result<std::unique_ptr<ingest::FileSource>> open_files(const ProduceOptions& options) {
  ingest::FileSource::Config config;
  config.paths = options.files;
  if (options.format)
    config.framing =
        *options.format == EventFormat::jsonl ? ingest::Framing::lines : ingest::Framing::delimited;
  return ingest::FileSource::open(std::move(config));
}

}  // namespace

Result<Produced> produce(const ProduceOptions& options) {
  TRY(const auto files, open_files(options));
  ingest::KafkaProducerConfig config{options.connection, options.topic};
  TRY(const auto producer,
      options.partitions > 0 ? ingest::KafkaProducer::create(std::move(config), options.partitions)
                             : ingest::KafkaProducer::connect(std::move(config)));
  Sender sender(*producer, options);
  if (options.shuffle) {
    TRY(send_shuffled(*files, sender, *options.shuffle));
  } else {
    TRY(send_in_order(*files, sender));
  }
  TRY(producer->flush(flush_timeout));
  return sender.produced();
}

}  // namespace gauger::load
