#include "tools/load/company/month.h"

#include <algorithm>
#include <filesystem>

#include "tools/load/company/faults.h"
#include "tools/progress.h"

namespace gauger::load::company {
namespace {

constexpr std::string_view resent_file = "gateway-eu-resent.jsonl.gz";
constexpr FeedName resent_feed = FeedName::gateway_eu;
constexpr int resent_day = 15;  // of the month
constexpr int stale_records = 3;
constexpr uint16_t stale_workload = 3;  // any of a feed of JSON lines

class Writer {
 public:
  Writer(const MonthOptions& options, std::string directory)
      : options_(options), directory_(std::move(directory)) {}

  Result<Expected> run() {
    plan();
    for (const auto* folder : {"/events", "/stale"}) {
      std::error_code failed;
      std::filesystem::create_directories(directory_ + folder, failed);
      if (failed)
        return invalid_argument("cannot make " + directory_ + folder + ": " + failed.message());
    }
    tools::Progress progress("company", "records", events_.size());
    for (size_t feed = 0; feed < feeds.size(); ++feed) {
      TRY(write_feed(static_cast<FeedName>(feed), progress));
    }
    TRY(write_resent());
    TRY(write_stale());
    const auto expected = expect(events_, bad_, resent_);
    TRY(write_file(directory_ + "/price_book.yaml", price_book_yaml()));
    TRY(write_file(directory_ + "/models.yaml", models_yaml()));
    TRY(write_file(directory_ + "/expected.json", to_json(expected)));
    return expected;
  }

 private:
  // Where a record stands in its file: by arrival, then by the order in which it was made.
  struct Place {
    Instant arrives_at;
    uint32_t index;  // of a bad one: events_.size() and up
    auto operator<=>(const Place&) const = default;
  };

  void plan() {
    Serials serials;
    events_ = plan_traffic(options_, serials);
    add_faults(options_, serials, events_);
    bad_ = make_bad_records(options_, serials);
    first_stale_serial_ = serials.next();
  }

  std::vector<Place> places_of(FeedName feed) const {
    std::vector<Place> places;
    for (uint32_t i = 0; i < events_.size(); ++i)
      if (events_[i].call().feed == feed) places.push_back({events_[i].arrives_at, i});
    const auto first_bad = static_cast<uint32_t>(events_.size());
    for (uint32_t i = 0; i < bad_.size(); ++i)
      if (bad_[i].feed == feed) places.push_back({bad_[i].arrives_at, first_bad + i});
    std::sort(places.begin(), places.end());
    return places;
  }

  void write(OutputFile& file, EventFormat format, const PlannedEvent& event) {
    file.write(to_usage_event(event, options_.seed, texts_), format);
  }

  Result<void> write_feed(FeedName name, tools::Progress& progress) {
    const auto& feed = feed_of(name);
    TRY(auto file, OutputFile::create(path_of(feed.file)));
    for (const auto& place : places_of(name)) {
      if (place.index < events_.size())
        write(file, feed.format, events_[place.index]);
      else
        file.write(bad_[place.index - events_.size()].bytes);
      progress.advance_to(++written_);
    }
    return file.finish();
  }

  // A gateway's queue delivers a whole day once more.
  Result<void> write_resent() {
    TRY(auto file, OutputFile::create(path_of(resent_file)));
    const auto from = options_.month.from + std::chrono::days{resent_day - 1};
    const Interval day{from, from + std::chrono::days{1}};
    for (const auto& place : places_of(resent_feed)) {
      if (place.index >= events_.size() || !day.contains(place.arrives_at)) continue;
      const auto& event = events_[place.index];
      if (event.fate != Fate::accepted) continue;
      write(file, feed_of(resent_feed).format, event);
      ++resent_;
    }
    return file.finish();
  }

  Result<void> write_stale() {
    TRY(auto file, OutputFile::create(directory_ + "/stale/too-old.jsonl"));
    for (int i = 0; i < stale_records; ++i) {
      PlannedEvent event;
      event.workload = stale_workload;
      event.serial = first_stale_serial_ + static_cast<uint64_t>(i);
      event.completed_at = options_.month.from - std::chrono::days{400 + i};
      event.started_at = event.completed_at - std::chrono::seconds{3};
      event.set(Meter::input_uncached, 700 + i);
      event.set(Meter::output_text, 90);
      write(file, EventFormat::jsonl, event);
    }
    return file.finish();
  }

  std::string path_of(std::string_view file) const {
    return directory_ + "/events/" + std::string(file);
  }

  std::string to_json(const Expected& expected) const;

  const MonthOptions& options_;
  std::string directory_;
  std::vector<PlannedEvent> events_;
  std::vector<BadRecord> bad_;
  uint64_t first_stale_serial_ = 0;
  uint64_t written_ = 0;
  int64_t resent_ = 0;
  PlannedTexts texts_;
};

void write_cells(JsonText& json, std::string_view name, std::string_view key,
                 const std::map<std::string, UsageCell>& cells) {
  json.key(name).begin_array();
  for (const auto& [value, cell] : cells) {
    json.begin_object();
    json.member(key, value);
    write_members(json, cell);
    json.end_object();
  }
  json.end_array();
}

void write_fates(JsonText& json, const Expected& expected) {
  json.member("records", expected.records);
  json.member("usage_events", expected.usage_events);
  json.member("outcomes", expected.outcomes);
  json.member("retractions", expected.retractions);
  json.member("retractions_waiting", expected.retractions_waiting);
  json.member("replacements", expected.replacements);
  json.member("taken_back", expected.taken_back);
  json.member("duplicates", expected.duplicates);
  json.member("restamped", expected.restamped);
  json.member("conflicts", expected.conflicts);
  json.key("quarantined").begin_object();
  for (const auto& [reason, count] : expected.quarantined) json.member(reason, count);
  json.end_object();
  json.member("too_old_in_stale", stale_records);
}

void write_programs(JsonText& json, const std::map<std::string, ProgramSummary>& programs) {
  json.key("programs").begin_array();
  for (const auto& [name, program] : programs) {
    json.begin_object();
    json.member("program", name);
    json.member("roots", program.roots);
    json.member("retries", program.retries);
    json.member("fallbacks", program.fallbacks);
    json.member("accepted", program.accepted);
    json.member("escalated", program.escalated);
    json.member("failed", program.failed);
    json.member("shadow", program.shadow);
    json.member("distillation", program.distillation);
    json.end_object();
  }
  json.end_array();
}

std::string Writer::to_json(const Expected& expected) const {
  JsonText json;
  json.begin_object();
  json.member("company", company_name);
  json.member("from", format_instant(options_.month.from));
  json.member("until", format_instant(options_.month.until));
  json.member("seed", static_cast<int64_t>(options_.seed));
  write_fates(json, expected);
  write_members(json, expected.usage);
  write_cells(json, "by_team", "team", expected.by_team);
  json.key("by_context_above").begin_array();
  for (const auto& [boundary, cell] : expected.by_context_above) {
    json.begin_object();
    json.member("above", boundary);
    write_members(json, cell);
    json.end_object();
  }
  json.end_array();
  write_cells(json, "by_usage_source", "usage_source", expected.by_usage_source);
  write_programs(json, expected.programs);
  json.end_object();
  return json.take();
}

}  // namespace

Result<Expected> write_month(const MonthOptions& options, const std::string& directory) {
  return Writer(options, directory).run();
}

}  // namespace gauger::load::company
