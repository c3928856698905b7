// A whole ledger: how long commits and visibility take at a given rate, how fast it opens, how
// fast it answers.
#include <atomic>
#include <mutex>
#include <thread>

#include "ingest/file_source.h"
#include "ingest/wire_decoder.h"
#include "ledger/ledger.h"
#include "ledger/reader.h"
#include "ledger/rocks_store.h"
#include "schemas/limits.h"
#include "tests/bench/pipeline/measure.h"

namespace gauger::bench {
namespace {

using ledger::Dimension;
using ledger::Ledger;
using ledger::mask_of;

ledger::UsageQuery month_query(const std::string& month) {
  ledger::UsageQuery query;
  const auto year = std::atoi(month.substr(0, 4).c_str());
  const auto number = std::atoi(month.substr(5).c_str());
  const auto until = number == 12 ? fmt::format("{:04}-01-01", year + 1)
                                  : fmt::format("{:04}-{:02}-01", year, number + 1);
  query.interval = {must(parse_instant(month + "-01")), must(parse_instant(until))};
  return query;
}

// Milliseconds of the median, warm.
double time_query(const ledger::Reader& reader, const ledger::UsageQuery& query, size_t& rows) {
  std::vector<double> times;
  for (int i = 0; i < 21; ++i) {
    const auto begin = now_seconds();
    rows = must(reader.usage(query)).rows.size();
    times.push_back(1000 * (now_seconds() - begin));
  }
  return quantile(times, 0.5);
}

// Polls what is visible, and notes how long after its first event's arrival a block was.
class VisibilityWatch {
 public:
  explicit VisibilityWatch(const Ledger& ledger) : ledger_(ledger), thread_([this] { watch(); }) {}
  ~VisibilityWatch() {
    ended_ = true;
    thread_.join();
  }
  void committed(uint64_t sequence, double first_event) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(sequence, first_event);
  }
  std::vector<double> milliseconds() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  void watch() {
    while (!ended_) {
      const auto published = ledger_.status().published_sequence;
      const auto now = now_seconds();
      {
        const std::lock_guard lock(mutex_);
        std::erase_if(waiting_, [&](const auto& block) {
          if (block.first > published) return false;
          times_.push_back(1000 * (now - block.second));
          return true;
        });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

  const Ledger& ledger_;
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, double>> waiting_;
  std::vector<double> times_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace

void measure_latency(const std::string& path, const std::string& directory, double rate,
                     double seconds) {
  const SystemClock clock;
  const auto ledger = must(Ledger::open(directory, {}, clock));
  ingest::FileSource::Config config;
  config.paths = {path};
  const auto source = must(ingest::FileSource::open(std::move(config)));
  VisibilityWatch watch(*ledger);
  std::vector<double> commits;
  ingest::RecordBatch records;
  ingest::WireScratch scratch;
  UsageEvent event;
  const auto interval = Seconds(limits::commit_interval_max).count();
  const auto begin = now_seconds();
  uint64_t events = 0;
  for (uint64_t tick = 0; now_seconds() - begin < seconds && !records.at_end; ++tick) {
    // Events of one interval arrive spread over it; the first one waits longest.
    const auto first_event = begin + interval * static_cast<double>(tick);
    const auto due = first_event + interval;
    records.clear();
    must(source->poll(records, static_cast<size_t>(rate * interval), limits::batch_bytes_max, {}));
    if (records.records.empty()) break;
    auto& batch = ledger->batch();
    batch.begin_segment({"default", "file:bench", 0, true}, records.records.front().offset);
    for (const auto& record : records.records)
      if (ingest::decode_wire(record.bytes, event, scratch) == RejectReason::none)
        batch.add(event, record.offset, record.bytes);
    batch.end_segment(records.records.back().offset + 1, 0, 0);
    events += records.records.size();
    if (const auto left = due - now_seconds(); left > 0) std::this_thread::sleep_for(Seconds(left));
    const auto before = now_seconds();
    must(ledger->commit());
    commits.push_back(1000 * (now_seconds() - before));
    watch.committed(ledger->status().head.sequence, first_event);
    scratch.clear();
  }
  must(ledger->flush());
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  auto visible = watch.milliseconds();
  fmt::print("{{\"rate\": {:.0f}, \"events\": {}", rate, events);
  for (auto& [name, values] : {std::pair{"commit", &commits}, {"visible", &visible}})
    for (const auto& [label, share] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p100", 1.0}})
      fmt::print(", \"{}_{}_ms\": {:.3f}", name, label, quantile(*values, share));
  fmt::print("}}\n");
  must(ledger->close());
}

void measure_open(const std::string& directory) {
  const SystemClock clock;
  const auto begin = now_seconds();
  const auto ledger = must(Ledger::open(directory, {}, clock));
  const auto seconds = now_seconds() - begin;
  const auto status = ledger->status();
  fmt::print(
      "{{\"seconds\": {:.3f}, \"resident_mib\": {:.0f}, \"identities\": {}, "
      "\"identity_bytes\": {}, \"usage_keys\": {}",
      seconds, resident_mib_max(), status.identities, status.identity_bytes, status.head.keys);
  must(ledger->close());
  fmt::print("}}\n");
}

void measure_queries(const std::string& directory, const std::string& month) {
  const auto begin = now_seconds();
  const auto reader = must(ledger::Reader::open(directory));
  fmt::print("{{\"open_seconds\": {:.3f}", now_seconds() - begin);
  size_t rows = 0;
  auto query = month_query(month);
  query.group = mask_of(Dimension::team) | mask_of(Dimension::model);
  fmt::print(", \"month_by_team_model_ms\": {:.3f}", time_query(*reader, query, rows));
  fmt::print(", \"month_by_team_model_rows\": {}", rows);
  query.group = mask_of(Dimension::model);
  query.bucket = ledger::Bucket::day;
  query.filters = {{Dimension::team, "team-0007"}};
  fmt::print(", \"team_month_by_day_model_ms\": {:.3f}", time_query(*reader, query, rows));
  fmt::print(", \"team_month_by_day_model_rows\": {}", rows);
  if (const auto* store = dynamic_cast<const ledger::RocksStore*>(&reader->store())) {
    using ledger::Family;
    const std::pair<const char*, Family> parts[] = {{"journal", Family::journal},
                                                    {"identities", Family::identities},
                                                    {"dictionary", Family::dictionary},
                                                    {"rollups", Family::rollups},
                                                    {"identity_runs", Family::identity_runs}};
    fmt::print(", \"bytes\": {{\"events\": {}",
               reader->head().records[static_cast<size_t>(ledger::Disposition::accepted)]);
    for (const auto& [name, family] : parts)
      fmt::print(", \"{}\": {}", name, store->family_bytes(family));
    fmt::print("}}");
  }
  fmt::print("}}\n");
}

}  // namespace gauger::bench
