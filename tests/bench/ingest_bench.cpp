// What reading one event costs, format by format. Events are alike in shape to real ones: about
// 140 bytes as protobuf, 400 as JSON, with ids and counts that differ from event to event.
#include <benchmark/benchmark.h>
#include <google/protobuf/util/json_util.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "ingest/file_source.h"
#include "ingest/formats.h"
#include "ingest/json_decoder.h"
#include "ingest/wire_decoder.h"
#include "schemas/usage_event.pb.h"

namespace {

using namespace gauger;
using namespace gauger::ingest;

constexpr size_t event_count = 4096;

v1::UsageEvent make_event(std::mt19937_64& random) {
  v1::UsageEvent event;
  event.set_source("gateway-eu-1");
  event.set_id("req_" + std::to_string(random() % 10'000'000'000'000));
  event.mutable_started_at()->set_seconds(static_cast<int64_t>(1'799'000'000 + random() % 100'000));
  event.mutable_started_at()->set_nanos(static_cast<int32_t>(random() % 1'000'000) * 1000);
  event.mutable_completed_at()->set_seconds(event.started_at().seconds() + 3);
  event.mutable_completed_at()->set_nanos(event.started_at().nanos());
  event.set_team("team-" + std::to_string(random() % 1000));
  event.set_project("assistant");
  event.set_workload("summarise");
  event.set_provider("anthropic");
  event.set_provider_account("acct-prod");
  event.set_model("claude-sonnet-4-5");
  event.set_region("eu-west-1");
  event.set_input_uncached(static_cast<int64_t>(random() % 20'000));
  event.set_cache_read(static_cast<int64_t>(random() % 100'000));
  event.set_output_text(static_cast<int64_t>(random() % 2'000));
  if (random() % 2 == 0) event.set_output_reasoning(static_cast<int64_t>(random() % 2'000));
  return event;
}

std::vector<v1::UsageEvent> make_events() {
  std::mt19937_64 random(7);
  std::vector<v1::UsageEvent> events;
  for (size_t i = 0; i < event_count; ++i) events.push_back(make_event(random));
  return events;
}

std::vector<std::string> wire_records() {
  std::vector<std::string> records;
  for (const auto& event : make_events()) records.push_back(event.SerializeAsString());
  return records;
}

size_t bytes_of(const std::vector<std::string>& records) {
  size_t bytes = 0;
  for (const auto& record : records) bytes += record.size();
  return bytes;
}

void report(benchmark::State& state, const std::vector<std::string>& records) {
  const auto events = static_cast<int64_t>(state.iterations() * records.size());
  state.SetItemsProcessed(events);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes_of(records)));
  state.counters["s/event"] = benchmark::Counter(
      static_cast<double>(events), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/event"] = static_cast<double>(bytes_of(records) / records.size());
}

void wire(benchmark::State& state) {
  const auto records = wire_records();
  WireScratch scratch;
  UsageEvent event;
  for (auto _ : state)
    for (const auto& record : records) {
      const auto reason = decode_wire(record, event, scratch);
      if (reason != RejectReason::none) state.SkipWithError(scratch.detail.c_str());
      benchmark::DoNotOptimize(event);
    }
  report(state, records);
}
BENCHMARK(wire);

void wire_by_libprotobuf(benchmark::State& state) {
  const auto records = wire_records();
  v1::UsageEvent message;
  for (auto _ : state)
    for (const auto& record : records) {
      benchmark::DoNotOptimize(message.ParseFromString(record));
      benchmark::DoNotOptimize(message);
    }
  report(state, records);
}
BENCHMARK(wire_by_libprotobuf);

// The unusual path: the same events after an unknown group.
void wire_unusual(benchmark::State& state) {
  auto records = wire_records();
  for (auto& record : records) record += "\xFB\x01\xFC\x01";
  WireScratch scratch;
  UsageEvent event;
  for (auto _ : state) {
    for (const auto& record : records) {
      benchmark::DoNotOptimize(decode_wire(record, event, scratch));
      benchmark::DoNotOptimize(event);
    }
    scratch.clear();
  }
  report(state, records);
}
BENCHMARK(wire_unusual);

class Discard final : public EventSink {
 public:
  void accept(const UsageEvent& event) override { benchmark::DoNotOptimize(event); }
  void reject(RejectReason, std::string_view, std::string_view) override { ++rejected; }
  size_t rejected = 0;
};

void json(benchmark::State& state) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::vector<std::string> records;
  for (const auto& event : make_events()) {
    std::string record;
    benchmark::DoNotOptimize(
        google::protobuf::util::MessageToJsonString(event, &record, options).ok());
    records.push_back(std::move(record));
  }
  const auto decoder = make_json_decoder();
  Discard sink;
  for (auto _ : state)
    for (const auto& record : records) decoder->decode(record, {}, sink);
  if (sink.rejected != 0) state.SkipWithError("rejected");
  report(state, records);
}
BENCHMARK(json);

// One record of the fuzzing corpus, again and again. Corpora of formats with headers have a byte
// in front that chooses them.
void adapter(benchmark::State& state, const char* format, const char* file, size_t skipped) {
  std::ifstream in(std::filesystem::path(GAUGER_CORPUS) / format / file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::vector<std::string> records(64, bytes.substr(skipped));
  const std::vector<RecordHeader> headers = {{"gauger-completed-at", "2027-01-16T10:00:00Z"},
                                             {"gauger-source", "gw"}};
  const auto decoder = make_decoder(format, {}).value();
  Discard sink;
  for (auto _ : state)
    for (const auto& record : records) decoder->decode(record, headers, sink);
  if (sink.rejected != 0) state.SkipWithError("rejected");
  report(state, records);
}
BENCHMARK_CAPTURE(adapter, anthropic, "anthropic", "message", 0);
BENCHMARK_CAPTURE(adapter, openai_envelope, "openai", "envelope", 0);
BENCHMARK_CAPTURE(adapter, bedrock, "bedrock", "envelope", 0);
BENCHMARK_CAPTURE(adapter, gemini, "gemini", "response", 0);
BENCHMARK_CAPTURE(adapter, cloudevents, "cloudevents", "structured", 1);
BENCHMARK_CAPTURE(adapter, confluent, "confluent", "event", 1);
BENCHMARK_CAPTURE(adapter, otlp, "otlp", "request", 0);
BENCHMARK_CAPTURE(adapter, litellm, "litellm", "row", 0);

// From a file in the page cache to records, without decoding them.
void file(benchmark::State& state, bool delimited) {
  const auto path = std::filesystem::temp_directory_path() / "gauger-bench-records";
  const auto records = wire_records();
  constexpr int repeats = 100;
  {
    std::ofstream out(path, std::ios::binary);
    for (int i = 0; i < repeats; ++i)
      for (const auto& record : records) {
        if (delimited && record.size() >= 0x80)
          out.put(static_cast<char>(record.size() | 0x80U)).put(1);
        else if (delimited)
          out.put(static_cast<char>(record.size()));
        out << (delimited ? record : std::string(record.size(), 'x') + "\n");
      }
  }
  int64_t count = 0;
  for (auto _ : state) {
    FileSource::Config config;
    config.paths = {path.string()};
    config.framing = delimited ? Framing::delimited : Framing::lines;
    const auto source = FileSource::open(config).value();
    RecordBatch batch;
    while (!batch.at_end) {
      batch.clear();
      if (!source->poll(batch, 32'000, size_t{64} << 20U, {})) state.SkipWithError("poll");
      count += static_cast<int64_t>(batch.records.size());
      benchmark::DoNotOptimize(batch.records.data());
    }
  }
  std::filesystem::remove(path);
  state.SetItemsProcessed(count);
  state.SetBytesProcessed(count * static_cast<int64_t>(bytes_of(records) / records.size()));
}
BENCHMARK_CAPTURE(file, delimited, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(file, lines, false)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
