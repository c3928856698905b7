// Why: LiteLLM folds every provider's counts into one; its rows must come apart again exactly.
#include "ingest/formats.h"
#include "tests/catch.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

std::string row(const std::string& more) {
  return R"({"request_id":"chatcmpl-1","call_type":"acompletion","api_key":"hash-1",)"
         R"("spend":0.0123,"startTime":"2027-01-16T10:00:00.250000","endTime":"2027-01-16 10:00:02+00",)"
         R"("model":"anthropic/claude-sonnet-4-5","custom_llm_provider":"anthropic",)"
         R"("session_id":"s-1","status":"success",)" +
         more + "}";
}

Collect decode(const std::string& record, const DecoderOptions& options = {}) {
  auto decoder = make_decoder("litellm", options);
  REQUIRE(decoder.has_value());
  return decode_all(*decoder.value(), record);
}

Rejection rejection(const std::string& record) {
  const auto collected = decode(record);
  REQUIRE(collected.events.empty());
  REQUIRE(collected.rejections.size() == 1);
  return collected.rejections[0];
}

bool says(const Collect& collected, const std::string& line) {
  INFO((collected.rejections.empty() ? "" : collected.rejections[0].detail));
  REQUIRE(collected.events.size() == 1);
  return ("\n" + collected.events[0]).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a LiteLLM row is taken apart by its usage object", "[ingest]") {
  const auto collected = decode(row(
      R"("team_id":"t-1","prompt_tokens":13500,"completion_tokens":503,"total_tokens":14003,
         "metadata":{"user_api_key_team_alias":"search","usage_object":{"prompt_tokens":13500,
           "completion_tokens":503,"total_tokens":14003,"cache_read_input_tokens":10000,
           "cache_creation_input_tokens":1500,
           "prompt_tokens_details":{"cached_tokens":10000,"text_tokens":2000,
             "cache_creation_tokens":1500,"cache_creation_token_details":
               {"ephemeral_5m_input_tokens":500,"ephemeral_1h_input_tokens":1000}},
           "completion_tokens_details":{"reasoning_tokens":200,"text_tokens":303},
           "server_tool_use":{"web_search_requests":1}}})"));
  for (const auto* line :
       {"source=litellm", "id=chatcmpl-1", "team=search", "provider=anthropic",
        "model=claude-sonnet-4-5", "agent_session=s-1", "started_at=2027-01-16T10:00:00.25Z",
        "completed_at=2027-01-16T10:00:02Z", "input_uncached=2000", "cache_read=10000",
        "cache_write_5m=500", "cache_write_1h=1000", "output_text=303", "output_reasoning=200",
        "web_searches=1"}) {
    INFO(line);
    CHECK(says(collected, line));
  }
}

TEST_CASE("a LiteLLM row without usage object counts what it has", "[ingest]") {
  const auto collected = decode(row(
      R"("team_id":"t-1","prompt_tokens":100,"completion_tokens":7,"total_tokens":107,
         "metadata":"{\"additional_usage_values\":{\"cache_read_input_tokens\":60}}")"));
  CHECK(says(collected, "team=t-1"));
  CHECK(says(collected, "input_uncached=40"));
  CHECK(says(collected, "cache_read=60"));
}

TEST_CASE("LiteLLM numbers that disagree are refused with both", "[ingest]") {
  CHECK(rejection(row(R"("prompt_tokens":100,"completion_tokens":7,"total_tokens":108)")).detail ==
        "total_tokens is 108 but the parts add up to 107");
  CHECK(rejection(row(R"("prompt_tokens":100,"completion_tokens":7,"total_tokens":107,
                         "metadata":{"usage_object":{"prompt_tokens":99}})"))
            .detail == "prompt_tokens is 100 in the row and 99 in its usage object");
  CHECK(rejection(row(R"("prompt_tokens":10,"completion_tokens":7,"total_tokens":17,
                         "metadata":{"usage_object":{"cache_read_input_tokens":11}})"))
            .detail == "prompt_tokens is 10 but its parts add up to 11");
}

TEST_CASE("what LiteLLM answered from its own cache used no tokens of a provider", "[ingest]") {
  const auto collected = decode(
      row(R"("cache_hit":"True","prompt_tokens":100,"completion_tokens":7,"total_tokens":107)"));
  CHECK(says(collected, "input_uncached=0"));
  CHECK(says(collected, "output_text=0"));
  CHECK(says(collected, "gateway_cached_tokens=107"));
}

TEST_CASE("a failed LiteLLM row is missing usage", "[ingest]") {
  auto failed = row(R"("prompt_tokens":0,"completion_tokens":0,"total_tokens":0)");
  failed.replace(failed.find("success"), 7, "failure");
  const auto collected = decode(failed);
  REQUIRE(collected.events.size() == 1);
  CHECK(collected.events[0].find("enums=standard missing") != std::string::npos);
}

TEST_CASE("LiteLLM rows come alone, in lists and in data", "[ingest]") {
  const auto one = row(R"("prompt_tokens":1,"completion_tokens":1,"total_tokens":2)");
  CHECK(decode("[" + one + "," + one + "]").events.size() == 2);
  const auto page = decode(R"({"data":[)" + one + R"(,5,{"request_id":"x"}],"total":3})");
  CHECK(page.events.size() == 1);
  CHECK(page.rejections.size() == 2);
  CHECK(rejection("5").reason == RejectReason::undecodable);
  auto untimed = one;
  untimed.replace(untimed.find("2027-01-16 10:00:02+00"), 22, "yesterday");
  CHECK(rejection(untimed).reason == RejectReason::invalid_time);
}

TEST_CASE("LiteLLM keys, users and tags can decide the team", "[ingest]") {
  const auto document = Attribution::parse(R"(
attribution:
  - match: {tag.env: prod, api_key: hash-1}
    team: platform
    workload: gateway
)");
  REQUIRE(document.has_value());
  DecoderOptions options;
  options.attribution = &document.value();
  const auto with = [&](const std::string& tags) {
    return decode(row(R"("request_tags":)" + tags +
                      R"(,"prompt_tokens":1,"completion_tokens":1,"total_tokens":2)"),
                  options);
  };
  CHECK(says(with(R"(["env:prod","x"])"), "team=platform"));
  CHECK(says(with(R"("[\"env:prod\"]")"), "workload=gateway"));
  CHECK(says(with(R"(["env:test"])"), "team=unattributed"));
}
