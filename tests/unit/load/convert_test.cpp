// Why: acceptance compares the ledger's sums with the traces', so the conversion must neither
// lose nor invent a token. The expected sums are those of the data's own README.
#include "tools/load/convert.h"

#include <zlib.h>

#include <set>

#include "tests/shared_data.h"
#include "tests/unit/load/scratch.h"

using namespace gauger;
using load::convert_trace;
using load::ConvertOptions;
using load::Trace;

namespace {

struct Sums {
  int64_t input = 0;
  int64_t cache_read = 0;
  int64_t output = 0;
  int64_t compute_us = 0;
  int64_t missing = 0;
};

// Counts again what was written, through libprotobuf, and checks that no identity repeats.
Sums sums_of(const std::vector<std::string>& lines) {
  Sums sums;
  std::set<std::string> identities;
  for (const auto& line : lines) {
    const auto event = tests::event_of_json(line);
    identities.insert(event.source() + '\n' + event.id());
    for (size_t i = 0; i < input_meter_count; ++i)
      sums.input += tests::count_of(event, meter_names[i]);
    sums.cache_read += event.cache_read();
    sums.output += event.output_text();
    sums.compute_us += event.compute_us();
    sums.missing += event.usage_source() == v1::UsageEvent::missing;
  }
  CHECK(identities.size() == lines.size());
  return sums;
}

std::vector<std::string> convert(const tests::ScratchDirectory& scratch, ConvertOptions options) {
  options.output = scratch.file("events.jsonl");
  const auto converted = convert_trace(options);
  REQUIRE(converted.has_value());
  auto lines = tests::lines_of(tests::read_bytes(options.output));
  CHECK(static_cast<size_t>(converted.value().events) == lines.size());
  return lines;
}

// The sentence with which a trace is refused; nothing may be left behind.
std::string refusal(const tests::ScratchDirectory& scratch, Trace trace, std::string_view text) {
  ConvertOptions options;
  options.trace = trace;
  options.input = scratch.write("trace.txt", text);
  options.output = scratch.file("events.jsonl");
  const auto converted = convert_trace(options);
  REQUIRE_FALSE(converted.has_value());
  CHECK(converted.error().code == ErrorCode::invalid_argument);
  CHECK_FALSE(std::ifstream(options.output).is_open());
  CHECK_FALSE(std::ifstream(options.output + ".partial").is_open());
  return converted.error().sentence;
}

std::vector<std::string> convert_text(const tests::ScratchDirectory& scratch, Trace trace,
                                      std::string_view text) {
  ConvertOptions options;
  options.trace = trace;
  options.input = scratch.write("trace.txt", text);
  return convert(scratch, options);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the Azure code trace converts to the token", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  options.trace = Trace::azure;
  options.input = tests::shared_data("traces/azure_llm_2023_code.csv");
  const auto lines = convert(scratch, options);
  const auto sums = sums_of(lines);
  CHECK(lines.size() == 8'819);
  CHECK(sums.input == 18'059'974);
  CHECK(sums.output == 245'896);
  const auto first = tests::event_of_json(lines[0]);
  CHECK(first.source() == "trace/azure_llm_2023_code");
  CHECK(first.id() == "row-000001");
  CHECK(first.completed_at().seconds() == 1700158623);  // 2023-11-16T18:17:03Z
  CHECK(first.completed_at().nanos() == 979'960'000);
}

TEST_CASE("the Azure conversation trace converts to the token", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  options.trace = Trace::azure;
  options.input = tests::shared_data("traces/azure_llm_2023_conv.csv");
  const auto lines = convert(scratch, options);
  const auto sums = sums_of(lines);
  CHECK(lines.size() == 19'366);
  CHECK(sums.input == 22'361'870);
  CHECK(sums.output == 4'088'665);
}

TEST_CASE("BurstGPT converts to the token and keeps its failures visible", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  options.trace = Trace::burstgpt;
  options.input = tests::shared_data("traces/burstgpt_1_first400.csv");
  const auto lines = convert(scratch, options);
  const auto sums = sums_of(lines);
  CHECK(lines.size() == 400);
  CHECK(sums.input == 208'189);
  CHECK(sums.output == 110'612);
  CHECK(sums.missing == 17);
}

TEST_CASE("Mooncake converts to the token with its reusable prefixes as cache reads", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  options.trace = Trace::mooncake;
  options.input = tests::shared_data("traces/mooncake_conversation.jsonl.gz");
  const auto lines = convert(scratch, options);
  const auto sums = sums_of(lines);
  CHECK(lines.size() == 12'031);
  CHECK(sums.input == 144'793'823);
  CHECK(sums.output == 4'122'048);
  CHECK(sums.cache_read == 54'098'411);
}

TEST_CASE("the Claude Code sessions convert to the token and the microsecond", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  options.trace = Trace::claude_code;
  options.input = tests::shared_data("traces/cc_traces_claude_code_5000.jsonl.gz");
  const auto lines = convert(scratch, options);
  const auto sums = sums_of(lines);
  CHECK(lines.size() == 5'000);
  CHECK(sums.input == 1'262'069'076);
  CHECK(sums.output == 3'244'702);
  CHECK(sums.compute_us == 55'119'251'000);
  size_t long_contexts = 0;
  for (const auto& line : lines)
    long_contexts += tests::event_of_json(line).input_uncached() > 200'000;
  CHECK(long_contexts == 2'565);
}

TEST_CASE("a cached prefix ends at the first new block and at the end of the prompt", "[load]") {
  tests::ScratchDirectory scratch;
  const auto lines = convert_text(scratch, Trace::mooncake, R"(
{"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [1, 2, 3]}
{"timestamp": 10, "input_length": 1600, "output_length": 5, "hash_ids": [1, 2, 4, 3]}
{"timestamp": 10, "input_length": 1100, "output_length": 5, "hash_ids": [1, 2, 3]}
{"timestamp": 11, "input_length": 600, "output_length": 5, "hash_ids": [9, 1]}
{"timestamp": 12, "input_length": 700, "output_length": 5, "hash_ids": [5, 5]})");
  REQUIRE(lines.size() == 5);
  std::vector<int64_t> cached;
  for (const auto& line : lines) cached.push_back(tests::event_of_json(line).cache_read());
  CHECK(cached == std::vector<int64_t>{0, 1024, 1100, 0, 0});
}

TEST_CASE("sessions are laid out from the base by their own arrivals", "[load]") {
  tests::ScratchDirectory scratch;
  const std::string row =
      R"({"session_id": "SESSION", "model_id": "m", "input_tokens": 3, "output_tokens": 4, )"
      R"("request_arrival_delta_s": 2.5, "api_time_s": 0.000001})";
  const auto in_session = [&](const char* name) { return std::string(row).replace(16, 7, name); };
  ConvertOptions options;
  options.trace = Trace::claude_code;
  options.input = scratch.write(
      "trace.jsonl", in_session("a") + "\n" + in_session("b") + "\r\n" + in_session("a"));
  options.base = parse_instant("2026-11-01T00:00:00Z").value();
  const auto lines = convert(scratch, options);
  REQUIRE(lines.size() == 3);
  const auto second = tests::event_of_json(lines[1]);
  CHECK(second.agent_session() == "b");
  CHECK(second.started_at().seconds() == 1793494802);  // 2026-11-01T01:00:02Z
  CHECK(second.completed_at().nanos() == 500'001'000);
  CHECK(second.compute_us() == 1);
  CHECK(tests::event_of_json(lines[2]).started_at().seconds() == 1793491202);
}

TEST_CASE("flags override what the trace says of who and what", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  options.trace = Trace::burstgpt;
  options.input = scratch.write("t.csv",
                                "Timestamp,Model,Request tokens,Response tokens,Total "
                                "tokens,Log Type\n5,GPT-4,1,2,3,API log\n");
  options.source = "s";
  options.team = "t";
  options.project = "p";
  options.workload = "w";
  options.provider = "v";
  options.model = "m";
  const auto event = tests::event_of_json(convert(scratch, options).at(0));
  CHECK(event.source() == "s");
  CHECK(event.team() == "t");
  CHECK(event.project() == "p");
  CHECK(event.workload() == "w");
  CHECK(event.provider() == "v");
  CHECK(event.model() == "m");
}

TEST_CASE("a row that cannot be read is refused by its line, and nothing is written", "[load]") {
  tests::ScratchDirectory scratch;
  const std::string azure = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n";
  const std::string good = "2023-11-16 18:17:03.9799600,4808,10\r\n";
  for (const auto* row :
       {"2023-11-16 18:17:03,4808", "2023-11-16 18:17:03,4808,10,1", "2023-11-31 18:17:03,1,1",
        "2023-11-16 18:17:03,-1,1", "2023-11-16 18:17:03,1.5,1", "2023-11-16 18:17:03,,1",
        "2023-11-16 18:17:03,1000000000000001,1", "2023-11-16 18:17:03,99999999999999999999,1"})
    CHECK(contains(refusal(scratch, Trace::azure, azure + good + row), "line 3 of"));
  CHECK(contains(refusal(scratch, Trace::azure, good), "does not begin with"));
  CHECK(contains(refusal(scratch, Trace::azure, ""), "does not begin with"));

  const std::string burst =
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n";
  CHECK(contains(refusal(scratch, Trace::burstgpt, burst + "5,GPT-4,1,2,4,API log"),
                 "the total is 4 but the parts add up to 3"));
  CHECK(contains(refusal(scratch, Trace::burstgpt, burst + "5,Bard,1,2,3,API log"), "'Bard'"));

  CHECK(contains(refusal(scratch, Trace::mooncake, "[]"), "line 1 of"));
  CHECK(contains(refusal(scratch, Trace::mooncake, R"({"timestamp": 0})"), "'input_length'"));
  CHECK(contains(
      refusal(scratch, Trace::mooncake,
              R"({"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": ["a"]})"),
      "'hash_ids'"));
  const auto session = [](const char* api_time) {
    return std::string(R"({"session_id": "s", "model_id": "m", "input_tokens": 3, )") +
           R"("output_tokens": 4, "request_arrival_delta_s": 2.5, "api_time_s": )" + api_time + "}";
  };
  // More digits than a microsecond has would be rounded: refused instead.
  CHECK(contains(refusal(scratch, Trace::claude_code, session("0.0000001")), "'api_time_s'"));
  CHECK(contains(refusal(scratch, Trace::claude_code, session("-1")), "'api_time_s'"));
  CHECK(contains(refusal(scratch, Trace::claude_code, session("\"1\"")), "'api_time_s'"));
}

TEST_CASE("a line without end and a compressed file cut short are refused", "[load]") {
  tests::ScratchDirectory scratch;
  CHECK(contains(refusal(scratch, Trace::mooncake, std::string(3U << 20, ' ')), "longer than"));

  const auto path = scratch.file("trace.jsonl.gz");
  const auto stream = gzopen(path.c_str(), "wb");
  for (int i = 0; i < 20'000; ++i)
    gzprintf(stream,
             "{\"timestamp\": %d, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [%d]}\n",
             i, i * 7919 % 104'729);
  REQUIRE(gzclose(stream) == Z_OK);
  auto bytes = tests::read_bytes(path);
  ConvertOptions options;
  options.trace = Trace::mooncake;
  options.input = path;
  options.output = scratch.file("events.jsonl");
  CHECK(convert_trace(options).has_value());
  scratch.write("trace.jsonl.gz", std::string_view(bytes).substr(0, bytes.size() / 2));
  const auto cut_off = convert_trace(options);
  REQUIRE_FALSE(cut_off.has_value());
  CHECK(contains(cut_off.error().sentence, "unexpected end of file"));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
  scratch.write("trace.jsonl.gz", bytes);
  CHECK_FALSE(convert_trace(options).has_value());
}

TEST_CASE("a file that is not there, or a directory, is refused", "[load]") {
  tests::ScratchDirectory scratch;
  ConvertOptions options;
  for (const auto& input : {scratch.file("none"), scratch.path()}) {
    options.input = input;
    CHECK(convert_trace(options).error().code == ErrorCode::invalid_argument);
  }
  options.input = scratch.write("t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n");
  options.output = scratch.file("no/such/directory.jsonl");
  CHECK(convert_trace(options).error().code == ErrorCode::invalid_argument);
}
