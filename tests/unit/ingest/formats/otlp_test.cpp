// Why: spans repeat usage on several levels and totals beside parts; each call counts once.
// How: requests as OpenTelemetry's exporters send them, from the convention's own examples.
#include "ingest/formats.h"
#include "tests/catch.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

std::string text(const std::string& key, const std::string& value) {
  return R"({"key":")" + key + R"(","value":{"stringValue":")" + value + "\"}}";
}
std::string number(const std::string& key, const std::string& value) {
  return R"({"key":")" + key + R"(","value":{"intValue":")" + value + "\"}}";
}

std::string span(const std::string& attributes) {
  return R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",)"
         R"("startTimeUnixNano":"1800007199000000000","endTimeUnixNano":"1800007200123456789",)"
         R"("kind":3,"attributes":[)" +
         attributes + "]}";
}

std::string request(const std::string& spans) {
  return R"({"resourceSpans":[{"resource":{"attributes":[)" + text("service.name", "chat-api") +
         "," + text("team.name", "search") + R"(]},"scopeSpans":[{"scope":{},"spans":[)" + spans +
         "]}]}]}";
}

std::string call(const std::string& more) {
  return span(text("gen_ai.operation.name", "chat") + "," +
              text("gen_ai.provider.name", "aws.bedrock") + "," +
              text("gen_ai.request.model", "asked") + "," +
              text("gen_ai.response.model", "answered") + more);
}

Collect decode(const std::string& record, const DecoderOptions& options = {}) {
  auto decoder = make_decoder("otlp", options);
  REQUIRE(decoder.has_value());
  return decode_all(*decoder.value(), record);
}

bool says(const std::string& event, const std::string& line) {
  return ("\n" + event).find("\n" + line + "\n") != std::string::npos;
}

Rejection rejection(const std::string& record) {
  const auto collected = decode(record);
  REQUIRE(collected.events.empty());
  REQUIRE(collected.rejections.size() == 1);
  return collected.rejections[0];
}

}  // namespace

TEST_CASE("a GenAI span is one event of disjoint counts", "[ingest]") {
  const auto collected = decode(request(
      call("," + number("gen_ai.usage.input_tokens", "100") + "," +
           number("gen_ai.usage.cache_read.input_tokens", "60") + "," +
           number("gen_ai.usage.cache_creation.input_tokens", "10") + "," +
           number("gen_ai.usage.output_tokens", "50") + "," +
           number("gen_ai.usage.reasoning.output_tokens", "20") + "," +
           number("gen_ai.usage.total_tokens", "150") + "," +
           text("gen_ai.conversation.id", "conv-1") + "," + text("gauger.project", "ranking"))));
  REQUIRE(collected.events.size() == 1);
  const auto& event = collected.events[0];
  for (const auto* line :
       {"source=chat-api", "id=5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174",
        "completed_at=2027-01-15T10:00:00.123456Z", "provider=bedrock", "model=answered",
        "project=ranking", "agent_session=conv-1", "team=unattributed", "input_uncached=30",
        "cache_read=60", "cache_write_5m=10", "output_text=30", "output_reasoning=20"}) {
    INFO(line << " in " << event);
    CHECK(says(event, line));
  }
  CHECK(event.find("total") == std::string::npos);
}

TEST_CASE("a total is never added and must agree", "[ingest]") {
  CHECK(rejection(request(call("," + number("gen_ai.usage.input_tokens", "1") + "," +
                               number("gen_ai.usage.output_tokens", "2") + "," +
                               number("gen_ai.usage.total_tokens", "4"))))
            .detail == "gen_ai.usage.total_tokens is 4 but the parts add up to 3");
  CHECK(rejection(request(call("," + number("gen_ai.usage.input_tokens", "5") + "," +
                               number("gen_ai.usage.cache_read.input_tokens", "6"))))
            .detail == "gen_ai.usage.input_tokens is 5 but its parts add up to 6");
  CHECK(rejection(R"({"resourceMetrics":[{}]})").reason == RejectReason::unmapped);
}

TEST_CASE("older names of the convention are read, integers as numbers too", "[ingest]") {
  const auto collected = decode(
      request(span(text("gen_ai.system", "openai") + "," + text("gen_ai.request.model", "gpt-5") +
                   "," + R"({"key":"gen_ai.usage.prompt_tokens","value":{"intValue":7}},)" +
                   R"({"key":"gen_ai.usage.completion_tokens","value":{"doubleValue":8.0}},)" +
                   number("gen_ai.usage.details.pages", "3"))));
  REQUIRE(collected.events.size() == 1);
  CHECK(says(collected.events[0], "input_uncached=7"));
  CHECK(says(collected.events[0], "output_text=8"));
  CHECK(says(collected.events[0], "details.pages=3"));
}

TEST_CASE("spans that are not calls of a model are passed over", "[ingest]") {
  const auto usage = "," + number("gen_ai.usage.input_tokens", "1");
  const auto agent = span(text("gen_ai.operation.name", "invoke_agent") + usage);
  const auto tool = span(text("gen_ai.operation.name", "execute_tool"));
  const auto http = span(text("http.method", "GET"));
  const auto collected = decode(request(agent + "," + tool + "," + http + "," + call(usage)));
  CHECK(collected.events.size() == 1);
  CHECK(collected.rejections.empty());
}

TEST_CASE("a call without usage is missing, one without times or ids is refused", "[ingest]") {
  const auto failed = decode(request(call("," + text("error.type", "timeout"))));
  REQUIRE(failed.events.size() == 1);
  CHECK(failed.events[0].find("enums=standard missing") != std::string::npos);
  auto untimed = request(call(""));
  untimed.replace(untimed.find("1800007200123456789"), 19, "0");
  CHECK(rejection(untimed).reason == RejectReason::missing_field);
  auto unnamed = request(call(""));
  unnamed.replace(unnamed.find("eee19b7ec3c1b174"), 16, "");
  CHECK(rejection(unnamed).reason == RejectReason::missing_identity);
  auto never = request(call(""));
  never.replace(never.find("1800007200123456789"), 19, "tomorrow");
  CHECK(rejection(never).reason == RejectReason::invalid_time);
  CHECK(rejection(request(call("," + number("gen_ai.usage.input_tokens", "many")))).reason ==
        RejectReason::undecodable);
  CHECK(rejection("{}").reason == RejectReason::unmapped);
  CHECK(rejection("[]").reason == RejectReason::undecodable);
}

TEST_CASE("a refused span can be sent again as it was set aside", "[ingest]") {
  const auto bad = rejection(request(call("," + number("gen_ai.usage.input_tokens", "-1"))));
  CHECK(bad.reason == RejectReason::negative_count);
  CHECK(rejection(bad.part).reason == RejectReason::negative_count);
}

TEST_CASE("the resource of a span can decide its team", "[ingest]") {
  const auto document =
      Attribution::parse("attribution: [{match: {tag.team.name: '*'}, team_from: tag.team.name}]");
  REQUIRE(document.has_value());
  DecoderOptions options;
  options.attribution = &document.value();
  const auto collected =
      decode(request(call("," + number("gen_ai.usage.input_tokens", "1"))), options);
  REQUIRE(collected.events.size() == 1);
  CHECK(says(collected.events[0], "team=search"));
}
