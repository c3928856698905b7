// Why: each provider means something else by input, output and total; a wrong reading bills every
// request wrongly and plausibly.
// How: golden responses of each provider, and for the shared ones a peer's own reading of them.
#include <simdjson.h>

#include <fstream>
#include <map>

#include "ingest/formats.h"
#include "tests/catch.h"
#include "tests/shared_data.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

Collect decode(std::string_view format, const std::string& record,
               std::vector<RecordHeader> headers = {}) {
  DecoderOptions options;
  options.source = "gw";
  const auto decoder = make_decoder(format, options);
  REQUIRE(decoder.has_value());
  return decode_all(*decoder.value(), record, headers);
}

// Who and when, around a raw response.
std::string envelope(const std::string& response, const std::string& more = "") {
  return R"({"id":"1","team":"search","completed_at":"2027-01-16T10:00:00Z",)" + more +
         R"("response":)" + response + "}";
}

std::string line_of(const std::string& event, const std::string& name) {
  const auto begin = ("\n" + event).find("\n" + name + "=");
  if (begin == std::string::npos) return "absent";
  const auto value = begin + name.size() + 1;
  return event.substr(value, event.find('\n', value) - value);
}

// The counts of the only event, in the order of the meters, then extras.
std::string counts(const Collect& collected) {
  INFO((collected.rejections.empty() ? "" : collected.rejections[0].detail));
  REQUIRE(collected.events.size() == 1);
  std::string result;
  for (const auto& name : meter_names) {
    const auto value = line_of(collected.events[0], std::string(name));
    if (value != "absent")
      result += std::string(result.empty() ? "" : " ") + std::string(name) + "=" + value;
  }
  const auto enums = collected.events[0].find("enums=");
  const auto extras = collected.events[0].substr(collected.events[0].find('\n', enums) + 1);
  for (const auto c : extras)
    if (c == '\n')
      result += "";
    else
      result += c;
  return result;
}

std::string counts(std::string_view format, const std::string& response) {
  return counts(decode(format, envelope(response, R"("model":"m",)")));
}

std::string field(const Collect& collected, const std::string& name) {
  REQUIRE(collected.events.size() == 1);
  return line_of(collected.events[0], name);
}

std::string refusal(std::string_view format, const std::string& response) {
  const auto collected = decode(format, envelope(response, R"("model":"m",)"));
  REQUIRE(collected.rejections.size() == 1);
  return std::string(to_string(collected.rejections[0].reason)) + ": " +
         collected.rejections[0].detail;
}

}  // namespace

TEST_CASE("usage objects are read as the peer reads them", "[ingest]") {
  const std::map<std::string, std::string> formats = {
      {"anthropic", "anthropic"}, {"openai", "openai"}, {"aws", "bedrock"}, {"google", "gemini"}};
  std::ifstream file(tests::shared_data("provider_reports/usage_objects_with_peer_prices.jsonl"));
  size_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(line);
    const auto provider = std::string(std::string_view(root["provider"]));
    const auto collected =
        decode(formats.at(provider), envelope(simdjson::to_string(root["raw"].value())));
    INFO(line);
    REQUIRE(collected.events.size() == 1);
    const auto count = [&](std::initializer_list<const char*> meters) {
      int64_t sum = 0;
      for (const auto* meter : meters) {
        const auto value = line_of(collected.events[0], meter);
        sum += value == "absent" ? 0 : std::stoll(value);
      }
      return sum;
    };
    const auto peer = [&](const char* key) {
      int64_t value = 0;
      return root["peer_usage"][key].get_int64().get(value) == simdjson::SUCCESS ? value : 0;
    };
    CHECK(count({"input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio",
                 "input_image"}) == peer("input_tokens"));
    CHECK(count({"cache_read"}) == peer("cache_read_tokens"));
    CHECK(count({"cache_write_5m", "cache_write_1h"}) == peer("cache_write_tokens"));
    CHECK(count({"output_text", "output_reasoning", "output_audio"}) == peer("output_tokens"));
    CHECK(count({"output_reasoning"}) == peer("output_reasoning_tokens"));
    CHECK(count({"web_searches"}) == peer("web_searches"));
    // The peer knows lifetimes from Anthropic only; Bedrock states them too.
    if (provider == "anthropic") CHECK(count({"cache_write_1h"}) == peer("cache_write_1h_tokens"));
    if (provider == "aws") {
      CHECK(count({"cache_write_5m"}) == 500);
      CHECK(count({"cache_write_1h"}) == 1000);
    }
  }
  CHECK(lines == 5);
}

TEST_CASE("Anthropic counts are disjoint already and output includes thinking", "[ingest]") {
  CHECK(counts("anthropic",
               R"({"id":"msg_1","type":"message","model":"claude-opus-4-7","usage":{
                  "input_tokens":2000,"cache_creation_input_tokens":1500,
                  "cache_creation":{"ephemeral_5m_input_tokens":500,"ephemeral_1h_input_tokens":1000},
                  "cache_read_input_tokens":10000,"output_tokens":503,
                  "output_tokens_details":{"thinking_tokens":200},
                  "server_tool_use":{"web_search_requests":1,"web_fetch_requests":2},
                  "service_tier":"standard","inference_geo":"us"}})") ==
        "input_uncached=2000 cache_read=10000 cache_write_5m=500 cache_write_1h=1000 "
        "output_text=303 output_reasoning=200 web_searches=1server_tool_use.web_fetch_requests=2");
  // Without the split, writes live five minutes; zero is not absent.
  CHECK(counts("anthropic",
               R"({"usage":{"input_tokens":1,"cache_creation_input_tokens":7,"cache_creation":null,
                  "cache_read_input_tokens":0,"output_tokens":0}})") ==
        "input_uncached=1 cache_read=0 cache_write_5m=7 output_text=0");
}

TEST_CASE("Anthropic parts that disagree are refused with both numbers", "[ingest]") {
  CHECK(refusal("anthropic",
                R"({"usage":{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":7,
                   "cache_creation":{"ephemeral_5m_input_tokens":5}}})") ==
        "totals_disagree: cache_creation_input_tokens is 7 but the parts add up to 5");
  CHECK(refusal("anthropic", R"({"usage":{"input_tokens":1,"output_tokens":10,
                "output_tokens_details":{"thinking_tokens":11}}})") ==
        "totals_disagree: output_tokens is 10 but its parts add up to 11");
  CHECK(refusal("anthropic", R"({"usage":{"input_tokens":-1,"output_tokens":10}})") ==
        "negative_count: usage: input_tokens is -1");
  CHECK(refusal("anthropic", R"({"usage":{"input_tokens":1,"input_tokens":2}})") ==
        "undecodable: usage: input_tokens is given twice");
  CHECK(refusal("anthropic", R"({"usage":{"cache_read_input_tokens":1}})") ==
        "missing_field: usage has neither input_tokens nor output_tokens");
}

TEST_CASE("Anthropic iterations of compaction are added and others are extras", "[ingest]") {
  CHECK(counts("anthropic",
               R"({"usage":{"input_tokens":23000,"output_tokens":1000,"iterations":[
                  {"type":"compaction","input_tokens":180000,"output_tokens":3500},
                  {"type":"message","input_tokens":23000,"output_tokens":1000},
                  {"type":"advisor_message","model":"other","input_tokens":5,"output_tokens":6}]}})") ==
        "input_uncached=203000 output_text=4500iterations.advisor_message.input_tokens=5"
        "iterations.advisor_message.output_tokens=6");
}

TEST_CASE("an Anthropic stream counts its last cumulative usage", "[ingest]") {
  const std::string stream =
      "event: message_start\n"
      R"(data: {"type":"message_start","message":{"id":"msg_9","model":"claude-haiku-4-5","usage":{"input_tokens":25,"cache_read_input_tokens":4,"output_tokens":1,"service_tier":"priority"}}})"
      "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"
      R"(data: {"type":"message_delta","delta":{},"usage":{"output_tokens":7}})"
      "\r\n\r\n"
      R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}})"
      "\n\ndata: {\"type\":\"message_stop\"}\n\n";
  const std::vector<RecordHeader> headers = {{"Gauger-Completed-At", "2027-01-16T10:00:00Z"},
                                             {"gauger-team", "search"}};
  const auto collected = decode("anthropic", stream, headers);
  CHECK(counts(collected) == "input_uncached=25 cache_read=4 output_text=15");
  CHECK(field(collected, "id") == "msg_9");
  CHECK(field(collected, "model") == "claude-haiku-4-5");
  CHECK(field(collected, "team") == "search");
  CHECK(field(collected, "enums").starts_with("priority reported"));
  // Cut off before its last word: what is known is an estimate.
  const auto cut = decode("anthropic", stream.substr(0, stream.find("event: ping")), headers);
  CHECK(field(cut, "enums").starts_with("priority estimated"));
  CHECK(counts(cut) == "input_uncached=25 cache_read=4 output_text=1");
}

TEST_CASE("tiers of the response win and unknown ones are refused", "[ingest]") {
  const auto tier = [](std::string_view format, const std::string& response) {
    const auto collected =
        decode(format, envelope(response, R"("model":"asked","service_tier":"flex",)"));
    const auto enums = field(collected, "enums");
    return enums.substr(0, enums.find(' '));
  };
  const std::string usage = R"("usage":{"input_tokens":1,"output_tokens":1)";
  CHECK(tier("anthropic", "{" + usage + "}}") == "flex");
  CHECK(tier("anthropic", "{" + usage + R"(,"service_tier":"standard"}})") == "standard");
  CHECK(tier("anthropic", "{" + usage + R"(,"service_tier":"standard","speed":"fast"}})") ==
        "priority");
  CHECK(tier("anthropic", R"({"custom_id":"x","result":{"type":"succeeded","message":{)" + usage +
                              "}}}}") == "batch");
  CHECK(tier("openai", R"({"service_tier":"default",)" + usage + "}}") == "standard");
  CHECK(tier("openai", R"({"service_tier":"scale",)" + usage + "}}") == "provisioned");
  CHECK(refusal("openai", R"({"service_tier":"turbo",)" + usage + "}}") ==
        "unknown_enum: the service tier 'turbo' is unknown");
  const auto answered = decode(
      "openai", envelope(R"({"model":"gpt-5-2025-08-07",)" + usage + "}}", R"("model":"gpt-5",)"));
  CHECK(field(answered, "model") == "gpt-5-2025-08-07");
}

TEST_CASE("OpenAI input includes cache and output includes reasoning", "[ingest]") {
  CHECK(
      counts("openai",
             R"({"id":"chatcmpl-1","object":"chat.completion","created":1800000000,"model":"gpt-5",
                  "usage":{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
                  "prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":10,"cache_write_tokens":6},
                  "completion_tokens_details":{"reasoning_tokens":192,"audio_tokens":8,
                    "accepted_prediction_tokens":3,"rejected_prediction_tokens":4}}})") ==
      "input_uncached=70 cache_read=1920 cache_write_5m=6 input_audio=10 output_text=100 "
      "output_reasoning=192 output_audio=8");
  CHECK(counts("openai",
               R"({"id":"resp_1","object":"response","created_at":1800000000,"status":"completed",
                  "model":"gpt-5","output":[{"type":"web_search_call"},{"type":"message"},
                  {"type":"web_search_call"},{"type":"file_search_call"}],
                  "usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40},
                  "output_tokens":20,"output_tokens_details":{"reasoning_tokens":5},
                  "total_tokens":120}})") ==
        "input_uncached=60 cache_read=40 output_text=15 output_reasoning=5 web_searches=2"
        "file_search_calls=1");
  // An embedding has no output; an image's output tokens have a price of their own.
  CHECK(counts("openai", R"({"object":"list","usage":{"prompt_tokens":8,"total_tokens":8}})") ==
        "input_uncached=8");
  CHECK(counts("openai",
               R"({"created":1800000000,"usage":{"input_tokens":50,"input_tokens_details":
                  {"image_tokens":40,"text_tokens":10},"output_tokens":300,
                  "output_tokens_details":{"image_tokens":290,"text_tokens":10},
                  "total_tokens":350}})") ==
        "input_uncached=10 input_image=40 output_text=10output_image=290");
}

TEST_CASE("OpenAI parts that do not add up to the total are refused", "[ingest]") {
  CHECK(refusal("openai",
                R"({"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":16}})") ==
        "totals_disagree: total_tokens is 16 but the parts add up to 15");
  CHECK(refusal("openai", R"({"usage":{"prompt_tokens":10,"completion_tokens":5,
                "prompt_tokens_details":{"cached_tokens":11}}})") ==
        "totals_disagree: input (prompt) tokens is 10 but its parts add up to 11");
  CHECK(refusal("openai", R"({"usage":{"total_tokens":16}})") ==
        "missing_field: usage has neither prompt_tokens nor input_tokens");
  CHECK(refusal("openai", R"({"usage":{"prompt_tokens":1.5}})") ==
        "undecodable: usage: prompt_tokens is not a whole number");
  CHECK(refusal("openai", R"({"status":"in_progress","usage":null})") ==
        "missing_field: the response is not finished");
}

TEST_CASE("cached tokens of a modality are not taken off twice", "[ingest]") {
  CHECK(counts("openai",
               R"({"usage":{"input_tokens":100,"input_token_details":{"cached_tokens":64,
                  "audio_tokens":80,"text_tokens":20,"cached_tokens_details":
                  {"audio_tokens":50,"text_tokens":14}},"output_tokens":10,
                  "output_token_details":{"audio_tokens":6,"text_tokens":4}}})") ==
        "input_uncached=6 cache_read=64 input_audio=30 output_text=4 output_audio=6");
}

TEST_CASE("OpenAI streams and batch results count what they say last", "[ingest]") {
  CHECK(counts(
            decode("openai",
                   R"([{"id":"c1","model":"gpt-5","created":1800000000,"choices":[{}],"usage":null},
                          {"id":"c1","model":"gpt-5","created":1800000000,"choices":[],
                           "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}])")) ==
        "input_uncached=3 output_text=4");
  const auto responses = decode(
      "openai",
      R"([{"type":"response.created","response":{"id":"resp_1","created_at":1800000000,"status":"in_progress","model":"gpt-5","usage":null}},
          {"type":"response.output_text.delta","delta":"x"},
          {"type":"response.completed","response":{"id":"resp_1","created_at":1800000000,"completed_at":1800000009,"status":"completed","model":"gpt-5","service_tier":"priority","usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}}])");
  CHECK(counts(responses) == "input_uncached=3 output_text=4");
  CHECK(field(responses, "completed_at") == "2027-01-15T08:00:09Z");
  const auto batch =
      decode("openai",
             R"({"id":"batch_req_1","custom_id":"a","error":null,"response":{"status_code":200,
          "request_id":"r","body":{"id":"chatcmpl-5","created":1800000000,"model":"gpt-5",
          "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}}})");
  CHECK(field(batch, "enums").starts_with("batch reported"));
  CHECK(field(batch, "id") == "chatcmpl-5");
}

TEST_CASE("OpenAI-compatible servers may say less and count reasoning outside", "[ingest]") {
  const auto compatible = [](const std::string& usage) {
    return decode("openai-compatible",
                  envelope(R"({"model":"llama","usage":)" + usage + "}", R"("provider":"vllm",)"));
  };
  CHECK(counts(compatible(R"({"prompt_tokens":10,"completion_tokens":5})")) ==
        "input_uncached=10 output_text=5");
  CHECK(counts(compatible(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,
                              "prompt_tokens_details":null})")) ==
        "input_uncached=10 output_text=5");
  CHECK(counts(compatible(R"({"prompt_tokens":10,"prompt_cache_hit_tokens":6,
                              "prompt_cache_miss_tokens":4,"completion_tokens":5,
                              "prompt_tokens_details":{"cached_tokens":6}})")) ==
        "input_uncached=4 cache_read=6 output_text=5");
  const std::string reasoning = R"("prompt_tokens":10,"completion_tokens":5,
                                   "completion_tokens_details":{"reasoning_tokens":3})";
  CHECK(counts(compatible("{" + reasoning + R"(,"total_tokens":15})")) ==
        "input_uncached=10 output_text=2 output_reasoning=3");
  CHECK(counts(compatible("{" + reasoning + R"(,"total_tokens":18})")) ==
        "input_uncached=10 output_text=5 output_reasoning=3");
  const auto refused = compatible("{" + reasoning + R"(,"total_tokens":17})");
  REQUIRE(refused.rejections.size() == 1);
  CHECK(refused.rejections[0].detail == "total_tokens is 17 but the parts add up to 15");
  CHECK(compatible(R"({"prompt_tokens":10,"prompt_cache_hit_tokens":6,
                       "prompt_cache_miss_tokens":5})")
            .rejections.at(0)
            .reason == RejectReason::totals_disagree);
  // Nobody else knows who answered.
  const auto anonymous =
      decode("openai-compatible", envelope(R"({"model":"m","usage":{"prompt_tokens":1}})"));
  CHECK(anonymous.rejections.at(0).detail == "provider is absent");
}

TEST_CASE("Bedrock counts are disjoint and the total holds them all", "[ingest]") {
  CHECK(counts("bedrock",
               R"({"usage":{"inputTokens":2000,"outputTokens":503,"totalTokens":14003,
                  "cacheReadInputTokens":10000,"cacheWriteInputTokens":1500,"cacheDetails":[
                  {"ttl":"1h","inputTokens":1000},{"ttl":"5m","inputTokens":500}]}})") ==
        "input_uncached=2000 cache_read=10000 cache_write_5m=500 cache_write_1h=1000 "
        "output_text=503");
  CHECK(counts("bedrock",
               R"({"usage":{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":3}})") ==
        "input_uncached=1 cache_write_5m=3 output_text=2");
  CHECK(refusal("bedrock", R"({"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":4}})") ==
        "totals_disagree: totalTokens is 4 but the parts add up to 3");
  CHECK(refusal("bedrock", R"({"usage":{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":3,
                "cacheDetails":[{"ttl":"5m","inputTokens":2}]}})") ==
        "totals_disagree: cacheWriteInputTokens is 3 but the parts add up to 2");
  CHECK(refusal("bedrock",
                R"({"usage":{"inputTokens":1,"cacheDetails":[{"ttl":"1d","inputTokens":2}]}})") ==
        "unknown_enum: the cache lifetime '1d' is unknown");
  CHECK(refusal("bedrock",
                R"({"usage":{"inputTokens":1,"cacheDetails":[{"ttl":"5m","inputTokens":-2}]}})") ==
        "negative_count: cacheDetails.inputTokens is -2");
}

TEST_CASE("a Bedrock stream and a prompt router name what answered", "[ingest]") {
  const auto collected = decode(
      "bedrock",
      R"({"id":"1","completed_at":"2027-01-16T10:00:00Z","request":{"modelId":"router-1"},"stream":[
          {"messageStart":{"role":"assistant"}},
          {"metadata":{"usage":{"inputTokens":5,"outputTokens":6,"totalTokens":11},
           "metrics":{"latencyMs":9},"serviceTier":{"type":"flex"},
           "trace":{"promptRouter":{"invokedModelId":"anthropic.claude-haiku-4-5"}}}}]})");
  CHECK(counts(collected) == "input_uncached=5 output_text=6");
  CHECK(field(collected, "model") == "anthropic.claude-haiku-4-5");
  CHECK(field(collected, "enums").starts_with("flex"));
  const auto bare = decode("bedrock", R"({"usage":{"inputTokens":5,"outputTokens":6}})",
                           {{"x-amzn-RequestId", "req-7"},
                            {"gauger-model", "anthropic.claude"},
                            {"gauger-completed-at", "2027-01-16T10:00:00Z"}});
  CHECK(field(bare, "id") == "req-7");
}

TEST_CASE("Gemini output excludes thoughts and its total is the check", "[ingest]") {
  CHECK(counts("gemini",
               R"({"responseId":"g1","modelVersion":"gemini-2.5-pro","usageMetadata":{
                  "promptTokenCount":1000,"cachedContentTokenCount":600,"candidatesTokenCount":50,
                  "thoughtsTokenCount":70,"toolUsePromptTokenCount":30,"totalTokenCount":1150,
                  "trafficType":"PROVISIONED_THROUGHPUT",
                  "promptTokensDetails":[{"modality":"TEXT","tokenCount":700},
                    {"modality":"AUDIO","tokenCount":200},{"modality":"IMAGE","tokenCount":100}],
                  "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":150},
                    {"modality":"TEXT","tokenCount":450}],
                  "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":20},
                    {"modality":"TEXT","tokenCount":30}]}})") ==
        "input_uncached=280 cache_read=600 input_audio=50 input_image=100 output_text=30 "
        "output_reasoning=70output_image=20");
  CHECK(counts("gemini", R"({"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}})") ==
        "input_uncached=4");
  CHECK(refusal("gemini", R"({"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1,
                "totalTokenCount":6}})") ==
        "totals_disagree: totalTokenCount is 6 but the parts add up to 5");
  CHECK(refusal("gemini", R"({"usageMetadata":{"promptTokenCount":4,"promptTokensDetails":
                [{"modality":"AUDIO","tokenCount":-9}]}})")
            .starts_with("totals_disagree"));
  CHECK(refusal("gemini", R"({"usageMetadata":{"totalTokenCount":6}})") ==
        "missing_field: usageMetadata has no promptTokenCount");
}

TEST_CASE("a Gemini stream is a list whose last usage counts", "[ingest]") {
  const auto collected = decode(
      "gemini",
      R"([{"responseId":"g1","modelVersion":"gemini-2.5-flash","createTime":"2027-01-16T10:00:00.5Z",
           "usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}},
          {"responseId":"g1","modelVersion":"gemini-2.5-flash",
           "usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":9,"totalTokenCount":13}}])");
  CHECK(counts(collected) == "input_uncached=4 output_text=9");
  CHECK(field(collected, "completed_at") == "2027-01-16T10:00:00.5Z");
}

TEST_CASE("usage of a stream that is still growing is an estimate", "[ingest]") {
  const auto source = [](std::string_view format, const std::string& stream) {
    const auto enums = field(
        decode(
            format,
            R"({"id":"1","completed_at":"2027-01-16T10:00:00Z","provider":"p","model":"m","stream":)" +
                stream + "}"),
        "enums");
    return enums.substr(9, enums.find(' ', 9) - 9);
  };
  const std::string growing =
      R"({"candidates":[{"content":{}}],"usageMetadata":{"promptTokenCount":4}})";
  const std::string last =
      R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4}})";
  CHECK(source("gemini", "[" + growing + "]") == "estimated");
  CHECK(source("gemini", "[" + growing + "," + last + "]") == "reported");
  const std::string chunk =
      R"({"object":"chat.completion.chunk","choices":[{"finish_reason":null}],"usage":{"prompt_tokens":4}})";
  const std::string end =
      R"({"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2}})";
  CHECK(source("openai-compatible", "[" + chunk + "]") == "estimated");
  CHECK(source("openai-compatible", "[" + chunk + "," + end + "]") == "reported");
}

TEST_CASE("a call without usage is missing, and can be replaced later", "[ingest]") {
  for (const auto* response : {"null", "{}", R"({"error":{"message":"overloaded"}})",
                               R"({"status":"failed","usage":null})"}) {
    const auto collected =
        decode("openai", envelope(response, R"("model":"gpt-5","error":"timeout",)"));
    CHECK(field(collected, "enums").starts_with("standard missing"));
    CHECK(counts(collected) == "");
  }
  const auto later = decode(
      "openai", envelope(R"({"id":"c","usage":{"prompt_tokens":1,"completion_tokens":2}})",
                         R"("model":"gpt-5","retracts":{"id":"attempt-1","reason":"reported"},)"));
  CHECK(field(later, "retracts") == "|attempt-1|reported");
  CHECK(field(later, "enums").starts_with("standard reported"));
  // Without a model nobody can say what is missing.
  const auto unknown = decode("openai", envelope("null"));
  REQUIRE(unknown.rejections.size() == 1);
  CHECK(unknown.rejections[0].detail == "model is absent");
}

TEST_CASE("unknown usage keys with a positive number are counted extras", "[ingest]") {
  CHECK(counts("openai",
               R"({"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,
                  "quantum_tokens":4,"zero":0,"is_byok":true,"cost":0.0125,"cost_details":null,
                  "total_time":2.0,"images":6,"list":[{"n":1},{"n":2}]}})") ==
        "input_uncached=1 output_text=2cost_micro=12500list.n=3quantum_tokens=4total_time=2"
        "usage.images=6");
  std::string many = R"({"usage":{"prompt_tokens":1)";
  for (int i = 0; i < 17; ++i) many += ",\"k" + std::to_string(i) + "\":1";
  CHECK(refusal("openai", many + "}}").starts_with("too_many_extras"));
  for (int i = 17; i < 140; ++i) many += ",\"k" + std::to_string(i) + "\":1";
  CHECK(refusal("openai", many + "}}").starts_with("too_many_extras"));
}

TEST_CASE("an envelope is as strict as an event", "[ingest]") {
  const auto reason = [](const std::string& record) {
    const auto collected = decode("openai", record);
    REQUIRE(collected.rejections.size() == 1);
    return collected.rejections[0].reason;
  };
  const std::string usage = R"({"usage":{"prompt_tokens":1}})";
  CHECK(reason(envelope(usage, R"("model":"m","taem":"x",)")) == RejectReason::unknown_field);
  CHECK(reason(envelope(usage, R"("model":"m","output_text":1,)")) == RejectReason::undecodable);
  CHECK(reason(envelope(usage, R"("model":"m","model":"n",)")) == RejectReason::undecodable);
  CHECK(reason(envelope(usage, R"("model":"m","stream":[],)")) == RejectReason::undecodable);
  CHECK(reason(envelope("5", R"("model":"m",)")) == RejectReason::undecodable);
  CHECK(reason("[5]") == RejectReason::undecodable);
  CHECK(reason("5") == RejectReason::undecodable);
  CHECK(reason("nonsense") == RejectReason::undecodable);
  CHECK(reason("data: {") == RejectReason::undecodable);
  CHECK(reason("\"\xC3(\"") == RejectReason::invalid_text);
  CHECK(reason(usage) == RejectReason::missing_identity);
  CHECK(reason(std::string(limits::record_bytes_max + 1, ' ')) == RejectReason::record_too_large);
  CHECK(field(decode("openai", envelope(usage, R"("model":"m","compute_us":5,)")), "compute_us") ==
        "5");
}

TEST_CASE("headers fill what an envelope leaves open, and typing errors show", "[ingest]") {
  const std::string response = R"({"id":"c","model":"m","usage":{"prompt_tokens":1}})";
  const auto with = [&](std::vector<RecordHeader> headers) {
    headers.push_back({"gauger-completed-at", "2027-01-16T10:00:00Z"});
    return decode("openai", response, headers);
  };
  const auto good = with({{"gauger-provider", "azure"},
                          {"gauger-provider-account", "acct"},
                          {"gauger-purpose", "shadow"},
                          {"traceparent", "\xFF"}});
  CHECK(field(good, "provider") == "azure");
  CHECK(field(good, "provider_account") == "acct");
  CHECK(field(good, "enums").find("shadow") != std::string::npos);
  CHECK(with({{"gauger-taem", "x"}}).rejections.at(0).reason == RejectReason::unknown_field);
  CHECK(with({{"gauger-output-text", "5"}}).rejections.at(0).reason == RejectReason::unknown_field);
  CHECK(with({{"gauger-purpose", "fun"}}).rejections.at(0).reason == RejectReason::unknown_enum);
  CHECK(with({{"gauger-started-at", "now"}}).rejections.at(0).reason == RejectReason::invalid_time);
  CHECK(with({{"gauger-team", "\xFF"}}).rejections.at(0).reason == RejectReason::invalid_text);
}

TEST_CASE("a list of envelopes answers for each of them", "[ingest]") {
  const auto one = envelope(R"({"model":"m1","usage":{"prompt_tokens":1}})");
  const auto two = envelope(R"({"model":"m2","usage":{"prompt_tokens":2,"total_tokens":9}})");
  const auto collected = decode("openai", "[" + one + "," + two + "," + one + "]");
  CHECK(collected.events.size() == 2);
  REQUIRE(collected.rejections.size() == 1);
  CHECK(collected.rejections[0].reason == RejectReason::totals_disagree);
  CHECK(decode("openai", collected.rejections[0].part).rejections.size() == 1);
}
