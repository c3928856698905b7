// Why: the same event as JSON must mean what it means as protobuf, to the token and microsecond.
// How: every answer is compared with libprotobuf's JSON mapping; where we are stricter on
// purpose, the test says so.
#include "ingest/json_decoder.h"

#include <cstdlib>
#include <random>

#include "ingest/wire_decoder.h"
#include "tests/catch.h"
#include "tests/fuzz/json_reference.h"
#include "tests/guarded_bytes.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

Collect decode(const std::string& json) { return decode_all(*make_json_decoder(), json); }

// An ordinary event with one more member.
std::string event_with(const std::string& member) {
  return R"({"source":"gw","id":"1","provider":"openai","model":"gpt-5",)"
         R"("completed_at":"2027-01-16T10:00:00.25Z","output_text":7)" +
         (member.empty() ? "" : "," + member) + "}";
}

RejectReason reason_of(const std::string& json) {
  const auto collected = decode(json);
  if (!collected.events.empty()) {
    REQUIRE(collected.rejections.empty());
    return RejectReason::none;
  }
  REQUIRE(collected.rejections.size() == 1);
  CHECK(collected.rejections[0].part == json);
  CHECK_FALSE(collected.rejections[0].detail.empty());
  return collected.rejections[0].reason;
}

std::string detail_of(const std::string& json) {
  const auto collected = decode(json);
  return collected.rejections.empty() ? "" : collected.rejections[0].detail;
}

// GAUGER_ROUNDS asks for more mutations than every run of the tests has time for.
int rounds_asked() {
  const auto* const asked = std::getenv("GAUGER_ROUNDS");
  return asked == nullptr ? 60'000 : std::atoi(asked);
}

// Accepted, and exactly as libprotobuf reads it.
bool same_as_protobuf(const std::string& json) {
  const auto collected = decode(json);
  INFO(json);
  REQUIRE(collected.events.size() == 1);
  return JsonReference().disagreement(json, collected.events[0]) == "";
}

bool protobuf_reads(const std::string& json) {
  bool readable = false;
  JsonReference().read(json, readable);
  return readable;
}

}  // namespace

TEST_CASE("JSON members are read as protobuf's JSON mapping reads them", "[ingest]") {
  for (const auto* member : {
           "",
           R"("cache_read": 12)",
           R"("cacheRead": 12)",
           R"("cache_read": 1e3)",
           R"("cache_read": 1.0)",
           R"("cache_read": 1000e-3)",
           R"("cache_read": 1.5E1)",
           R"("cache_read": -0)",
           R"("cache_read": -0.0e5)",
           R"("cache_read": 999999999999999)",
           R"("cache_read": "12")",
           R"("cache_read": "+12")",
           R"("cache_read": "012")",
           R"("cache_read": null)",
           R"("compute_us" : 0 )",
           R"("service_tier": "batch")",
           R"("serviceTier": "provisioned")",
           R"("service_tier": 1)",
           R"("service_tier": "1")",
           R"("service_tier": 1.0)",
           R"("service_tier": null)",
           R"("purpose": "shadow", "exposure": "external", "role": "retry", "outcome": "failed")",
           R"("usageSource": "estimated")",
           R"("team": "näme", "project": "\ud83d\ude00", "workload": "a\"\\\/\b\f\n\r\t\u0041")",
           R"("team": "\u0000")",
           R"("team": null)",
           R"("te\u0061m": "escaped key")",
           R"("started_at": "2027-01-16T10:00:00Z")",
           R"("started_at": "2027-01-16T09:00:00.123456789Z")",
           R"("started_at": "2027-01-16T09:00:00.1234567891Z")",
           R"("started_at": "2027-01-16T10:00:00+01:30")",
           R"("started_at": "2027-01-16T05:00:00-05:00")",
           R"("started_at": "0001-01-01T00:00:00Z")",
           R"("started_at": null)",
           R"("retracts": {"id": "x", "reason": "y", "source": null})",
           R"("retracts": null, "outcome_of": null)",
           R"("extras": {"b": 1, "a": "2", "\u0063": 3.0})",
           R"("extras": {})",
           R"("extras": null)",
           R"("must_understand": ["team", "cacheRead"])",
           R"("must_understand": [])",
           R"("must_understand": null)",
           R"("input_total": 0, "outputTotal": 7)",
       }) {
    INFO(member);
    CHECK(same_as_protobuf(event_with(member)));
  }
}

TEST_CASE("JSON that protobuf refuses is refused with a reason of its own", "[ingest]") {
  const std::vector<std::pair<const char*, RejectReason>> cases = {
      {R"("cache_read": 1.5)", RejectReason::undecodable},
      {R"("cache_read": 1e-3)", RejectReason::undecodable},
      {R"("cache_read": "1e3")", RejectReason::undecodable},
      {R"("cache_read": "1.0")", RejectReason::undecodable},
      {R"("cache_read": " 12 ")", RejectReason::undecodable},
      {R"("cache_read": "+-12")", RejectReason::undecodable},
      {R"("cache_read": "")", RejectReason::undecodable},
      {R"("cache_read": 012)", RejectReason::undecodable},
      {R"("cache_read": 9223372036854775808)", RejectReason::count_too_large},
      {R"("cache_read": "9223372036854775808")", RejectReason::count_too_large},
      {R"("cache_read": 1e30)", RejectReason::count_too_large},
      {R"("cache_read": -1e30)", RejectReason::negative_count},
      {R"("cache_read": true)", RejectReason::undecodable},
      {R"("cache_read": [1])", RejectReason::undecodable},
      {R"("cache_read": NaN)", RejectReason::undecodable},
      {R"("cache_read": "NaN")", RejectReason::undecodable},
      {R"("cache_read": +1)", RejectReason::undecodable},
      {R"("service_tier": "BATCH")", RejectReason::unknown_enum},
      {R"("service_tier": "")", RejectReason::unknown_enum},
      {R"("service_tier": [])", RejectReason::undecodable},
      {R"("team": 5)", RejectReason::undecodable},
      {R"("team": nope)", RejectReason::undecodable},
      {R"("team": "\ud83d")", RejectReason::undecodable},
      {R"("team": "\ud83dx")", RejectReason::undecodable},
      {R"("started_at": "2027-01-16")", RejectReason::invalid_time},
      {R"("started_at": "2027-01-16T10:00:00")", RejectReason::invalid_time},
      {R"("started_at": "2027-01-16t10:00:00z")", RejectReason::invalid_time},
      {R"("started_at": "2027-01-16T10:00:00-0100")", RejectReason::invalid_time},
      {R"("started_at": "2027-02-29T10:00:00Z")", RejectReason::invalid_time},
      {R"("started_at": "2027-01-16T24:00:00Z")", RejectReason::invalid_time},
      {R"("started_at": "2027-01-16T10:00:60Z")", RejectReason::invalid_time},
      {R"("started_at": "")", RejectReason::invalid_time},
      {R"("started_at": 1799000000)", RejectReason::undecodable},
      {R"("retracts": "x")", RejectReason::undecodable},
      {R"("retracts": {"foo": 1})", RejectReason::unknown_field},
      {R"("extras": [])", RejectReason::undecodable},
      {R"("extras": {"a": 1, "a": 2})", RejectReason::undecodable},
      {R"("foo": 1)", RejectReason::unknown_field},
      {R"("Team": "x")", RejectReason::unknown_field},
      {R"("output_text": 7)", RejectReason::undecodable},
      {R"("outputText": 7)", RejectReason::undecodable},
  };
  for (const auto& [member, reason] : cases) {
    const auto json = event_with(member);
    INFO(json);
    CHECK(reason_of(json) == reason);
    CHECK_FALSE(protobuf_reads(json));
  }
}

TEST_CASE("JSON is refused where libprotobuf is laxer than JSON or we than it", "[ingest]") {
  for (const auto* member :
       {R"("cache_read": 1.)", R"("team": "\x")", R"('team': 'x')", R"(team: "x")",
        R"("team": "x",)", R"("started_at": {"seconds": 5})", R"("extras": {"a": null})",
        R"("must_understand": "team")", R"("must_understand": [null])",
        R"("team": "x", "team": "y")", "\"team\": \"a\tb\""}) {
    const auto json = event_with(member);
    INFO(json);
    CHECK(reason_of(json) == RejectReason::undecodable);
    CHECK(protobuf_reads(json));
  }
  CHECK(reason_of(event_with(R"("started_at": "0001-01-01T00:00:00+01:00")")) ==
        RejectReason::invalid_time);
}

TEST_CASE("JSON events obey the rules that all formats share", "[ingest]") {
  CHECK(reason_of("{}") == RejectReason::missing_identity);
  CHECK(reason_of(event_with(R"("retracts": {})")) == RejectReason::missing_identity);
  CHECK(reason_of(event_with(R"("cache_read": -1)")) == RejectReason::negative_count);
  CHECK(reason_of(event_with(R"("cache_read": 1e15)")) == RejectReason::none);
  CHECK(reason_of(event_with(R"("cache_read": 1000000000000001)")) ==
        RejectReason::count_too_large);
  CHECK(reason_of(event_with(R"("output_total": 8)")) == RejectReason::totals_disagree);
  CHECK(reason_of(event_with(R"("input_total": -9223372036854775808)")) ==
        RejectReason::negative_count);
  CHECK(reason_of(event_with(R"("service_tier": 9)")) == RejectReason::unknown_enum);
  CHECK(reason_of(event_with(R"("must_understand": ["team", "teh"])")) ==
        RejectReason::newer_schema);
  CHECK(reason_of(event_with("\"team\": \"" + std::string(257, 'x') + "\"")) ==
        RejectReason::text_too_long);
  CHECK(reason_of(event_with("\"team\": \"\xC3(\"")) == RejectReason::invalid_text);
  std::string extras;
  for (int i = 0; i < 17; ++i) extras += (i ? ",\"x" : "\"x") + std::to_string(i) + "\":1";
  CHECK(reason_of(event_with("\"extras\":{" + extras + "}")) == RejectReason::too_many_extras);
}

TEST_CASE("a refused JSON key is named", "[ingest]") {
  CHECK(detail_of(event_with(R"("tokens": 1)")) == "unknown key 'tokens'");
  CHECK(detail_of(event_with(R"("cache_read": 1.5)")) == "cache_read is 1.5, not a whole number");
  CHECK(detail_of(event_with(R"("outputText": 7)")) == "output_text is given twice");
  CHECK(detail_of(event_with(R"("outcome": "won")")) == "outcome is 'won', which is unknown");
}

TEST_CASE("what is not one JSON object is undecodable", "[ingest]") {
  for (const auto* json : {"", " ", "5", "null", "\"x\"", "{", "}", "{]", "[", "{\"source\"",
                           "{\"a\"}", "{\"source\":}", "{,}", "{} {}", "{}x", "\xEF\xBB\xBF{}"}) {
    INFO(json);
    CHECK(reason_of(json) == RejectReason::undecodable);
  }
  CHECK(reason_of(event_with("") + " x") == RejectReason::undecodable);
  CHECK(reason_of(event_with("") + " \r\n\t ") == RejectReason::none);
}

TEST_CASE("deep nesting and large records of JSON are refused", "[ingest]") {
  CHECK(reason_of(event_with("\"x\":" + std::string(200'000, '[') + std::string(200'000, ']'))) ==
        RejectReason::unknown_field);
  CHECK(reason_of(std::string(500'000, '[')) == RejectReason::undecodable);
  CHECK(reason_of(std::string(400'000, '[') + std::string(400'000, ']')) ==
        RejectReason::undecodable);
  CHECK(reason_of(event_with("") + std::string(limits::record_bytes_max, ' ')) ==
        RejectReason::record_too_large);
}

TEST_CASE("a JSON batch answers for each of its events", "[ingest]") {
  const auto good = event_with("");
  const auto bad = event_with(R"("cache_read": [{"deep": 1}])");
  const auto unknown = event_with(R"("x": {"y": [1, 2]}, "team": "z")");
  const auto extra = event_with(R"("extras": {"a": 1})");
  const auto inner = good + " , " + bad + ", " + unknown + " ,\n" + extra + "," + extra;
  for (const auto& json : {"[" + inner + "]", "{\"events\":[" + inner + "]}",
                           " { \"events\" : [ " + inner + " ] } "}) {
    const auto collected = decode(json);
    REQUIRE(collected.events.size() == 3);
    CHECK(collected.events[1] == collected.events[2]);
    CHECK(collected.events[1].find("a=1\n") != std::string::npos);
    REQUIRE(collected.rejections.size() == 2);
    CHECK(collected.rejections[0].reason == RejectReason::undecodable);
    CHECK(collected.rejections[0].part == bad);
    CHECK(collected.rejections[1].reason == RejectReason::unknown_field);
    CHECK(collected.rejections[1].part == unknown);
  }
  CHECK(decode("[]").events.empty());
  CHECK(decode("[]").rejections.empty());
}

TEST_CASE("a JSON batch that is not JSON to its end is refused whole", "[ingest]") {
  const auto good = event_with("");
  for (const auto& json :
       {"[" + good + "," + good, "[" + good + "]]", "[" + good + ",5]",
        "[" + good + " " + good + "]", "{\"events\":[" + good + "],\"events\":[]}",
        "{\"events\":" + good + "}", "{\"events\":[" + good + "]",
        "[" + good + ",{\"source\":\"x\" \"id\":\"y\"}]", "[" + good + ",]"}) {
    INFO(json);
    CHECK(reason_of(json) == RejectReason::undecodable);
  }
  CHECK(reason_of("{\"events\":[" + good + "],\"more\":1}") == RejectReason::unknown_field);
  CHECK(reason_of("{\"team\":\"x\",\"events\":[" + good + "]}") == RejectReason::unknown_field);
}

TEST_CASE("mutated JSON is accepted only as libprotobuf reads it", "[ingest]") {
  std::mt19937 random(20270116);
  const std::string alphabet = "{}[],:\"\\ 0123456789.eE+-truefalsn_aT\x80";
  const auto seed = event_with(
      R"("service_tier":"batch","cacheRead":"5","extras":{"a":1,"b":2},"input_total":5,)"
      R"("retracts":{"id":"x"},"started_at":"2027-01-16T09:00:00+01:00","team":"\u00e9")");
  const auto decoder = make_json_decoder();
  JsonReference reference;
  size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto json = seed;
    for (auto changes = 1 + random() % 2; changes > 0; --changes) {
      const auto at = random() % json.size();
      const auto letter = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: json[at] = letter; break;
        case 1: json.insert(at, 1, letter); break;
        default: json.erase(at, 1 + random() % 3); break;
      }
    }
    const auto collected = decode_all(*decoder, json);
    REQUIRE(collected.events.size() + collected.rejections.size() == 1);
    accepted += collected.events.size();
    if (collected.events.empty()) continue;
    INFO(json);
    REQUIRE(reference.disagreement(json, collected.events[0]) == "");
  }
  CHECK(accepted > 500);
}

// Cut off and changed everywhere, at the end of its memory: what the fast path reads, simdjson
// reads the same.
TEST_CASE("flat JSON means what it means to simdjson", "[ingest]") {
  std::mt19937 random(20270116);
  const std::string alphabet = "{}[],:\"\\ 0123456789.eE+-tufnl\t\x1f\x80\x7f";
  const std::vector<std::string> seeds = {
      event_with(""),
      event_with(R"("service_tier":"batch","cacheRead":5,"cache_write_1h":12345678,)"
                 R"("extras":{"a":1,"b":23456789012},"input_total":12345683,"team":"tm")"),
      R"( { "id" : "1" , "images":0, "outcome":"accepted", "started_at":"2027-01-16T09:00:00Z" } )",
      R"({"extras":{}})"};
  JsonReference reference;
  GuardedBytes guarded;
  const auto check_one = [&](const std::string& json) {
    INFO(json);
    REQUIRE(reference.flat_disagreement(guarded.hold(json)) == "");
  };
  for (const auto& seed : seeds)
    for (size_t size = 0; size <= seed.size(); ++size) check_one(seed.substr(0, size));
  CHECK(reference.flat_reads >= 3);
  const int rounds = rounds_asked();
  for (int round = 0; round < rounds; ++round) {
    auto json = seeds[random() % seeds.size()];
    for (auto changes = 1 + random() % 2; changes > 0; --changes) {
      const auto at = random() % json.size();
      const auto letter = alphabet[random() % alphabet.size()];
      switch (random() % 4) {
        case 0: json[at] = letter; break;
        case 1: json.insert(at, 1, letter); break;
        case 2: json.insert(at, json.substr(random() % json.size(), random() % 24)); break;
        default: json.erase(at, 1 + random() % 3); break;
      }
    }
    check_one(json);
  }
  CHECK(reference.flat_reads > static_cast<size_t>(rounds) / 40);
}

TEST_CASE("an event reader fills in around what is there already", "[ingest]") {
  JsonEventReader reader;
  UsageEvent event;
  event.source = "envelope";
  event.team = "search";
  REQUIRE(reader.read(R"({"id":"7","output_text":3})", event) == RejectReason::none);
  CHECK(event.source == "envelope");
  CHECK(event.id == "7");
  CHECK(event.team == "search");
  CHECK(reader.read(R"({"id":7})", event) == RejectReason::undecodable);
  CHECK(reader.detail() == "id is not a string");
  CHECK(reader.read(R"({"id":"7"},)", event) == RejectReason::undecodable);
}
