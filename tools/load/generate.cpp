#include "tools/load/generate.h"

#include <algorithm>

#include "tools/progress.h"

namespace gauger::load {
namespace {

// Most copies come soon after the original, some at any distance.
constexpr uint64_t near_events = 10'000;
constexpr uint64_t far_per_million = 100'000;
constexpr int64_t restamp_us_max = 600'000'000;

class Generator {
 public:
  explicit Generator(const GenerateOptions& options)
      : options_(options),
        config_(options.synthetic),
        events_(config_),
        // A stream of decisions about records, apart from the events' own streams.
        random_(mix(config_.seed)),
        by_pair_(size_t{config_.teams} * config_.models),
        first_day_(std::chrono::floor<std::chrono::days>(config_.from)),
        by_day_(static_cast<size_t>(config_.span / std::chrono::days{1}) + 2) {}

  Result<Generated> run() {
    TRY(auto output, OutputFile::create(options_.output));
    tools::Progress progress("generate", "events", config_.records);
    for (uint64_t record = 0; record < config_.records && !output.failed(); ++record) {
      if (result_.events > 0 && random_.chance(config_.duplicates_per_million))
        write_duplicate(output);
      else
        write_event(output);
      progress.advance_to(record);
    }
    TRY(output.finish());
    fill_summary();
    if (!options_.summary.empty()) {
      TRY(write_summary());
    }
    return std::move(result_);
  }

 private:
  void write_event(OutputFile& output) {
    events_.make(result_.events++, made_);
    auto& cell = by_pair_[size_t{made_.team} * config_.models + made_.model];
    // The cells are more than a cache holds; writing the event takes as long as fetching one.
    __builtin_prefetch(&cell);
    __builtin_prefetch(&cell.counts[meter_count - 1]);
    output.write(made_.event, options_.format);
    cell.add(made_.event.counts);
    const auto day = (made_.event.completed_at - first_day_) / std::chrono::days{1};
    by_day_[static_cast<size_t>(day)].add(made_.event.counts);
  }

  void write_duplicate(OutputFile& output) {
    const auto original =
        random_.chance(far_per_million)
            ? random_.below(result_.events)
            : result_.events - 1 - random_.below(std::min(result_.events, near_events));
    events_.make(original, made_);
    if (random_.chance(500'000)) {
      const auto shift = Duration{random_.between(1, restamp_us_max)};
      made_.event.started_at += shift;
      made_.event.completed_at += shift;
      ++result_.restamped;
    } else {
      ++result_.duplicates;
    }
    output.write(made_.event, options_.format);
  }

  void fill_summary() {
    auto& summary = result_.summary;
    for (uint32_t team = 0; team < config_.teams; ++team)
      for (uint32_t model = 0; model < config_.models; ++model) {
        const auto& cell = by_pair_[size_t{team} * config_.models + model];
        if (cell.requests == 0) continue;
        summary.by_team_model[{events_.team_name(team), events_.model_name(model)}] = cell;
        summary.total += cell;
      }
    for (size_t day = 0; day < by_day_.size(); ++day)
      if (by_day_[day].requests > 0)
        summary.by_day[utc_day(first_day_ + std::chrono::days{day})] = by_day_[day];
  }

  Result<void> write_summary() {
    JsonText json;
    json.begin_object();
    json.member("seed", static_cast<int64_t>(config_.seed));
    json.member("records", static_cast<int64_t>(config_.records));
    json.member("events", static_cast<int64_t>(result_.events));
    json.member("duplicates", static_cast<int64_t>(result_.duplicates));
    json.member("restamped", static_cast<int64_t>(result_.restamped));
    write_members(json, result_.summary);
    json.end_object();
    return write_file(options_.summary, json.take());
  }

  const GenerateOptions& options_;
  const SyntheticConfig& config_;
  SyntheticEvents events_;
  SyntheticEvent made_;
  Random random_;
  std::vector<UsageCell> by_pair_;
  Instant first_day_;
  std::vector<UsageCell> by_day_;
  Generated result_;
};

}  // namespace

Result<Generated> generate(const GenerateOptions& options) { return Generator(options).run(); }

}  // namespace gauger::load
