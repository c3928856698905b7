// Why: a company's own log is read by a mapping that a person wrote; a slip in it must be a
// sentence, and a cell must never be guessed at.
#include "ingest/formats.h"
#include "tests/catch.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

constexpr std::string_view mapping = R"(
csv:
  columns:
    request: id
    finished: {field: completed_at, format: unix_ms}
    model: model
    prompt: input_total
    cached: cache_read
    answer: output_text
    pages: extras.pages
    key: evidence.api_key
    tier: service_tier
  join:
    workload: [service, route]
  constants:
    source: search-gateway
    provider: openai
)";
constexpr std::string_view columns =
    "request,finished,model,prompt,cached,answer,pages,key,tier,service,route,ignored";

Collect decode(const std::string& row, std::string_view names = columns,
               std::string_view yaml = mapping, const Attribution* attribution = nullptr) {
  DecoderOptions options;
  options.csv_mapping = yaml;
  options.attribution = attribution;
  auto decoder = make_decoder("csv", options);
  INFO((decoder.has_value() ? "" : decoder.error().sentence));
  REQUIRE(decoder.has_value());
  return decode_all(*decoder.value(), row, std::vector<RecordHeader>{{csv_columns_header, names}});
}

bool says(const Collect& collected, const std::string& line) {
  INFO((collected.rejections.empty() ? "" : collected.rejections[0].detail));
  REQUIRE(collected.events.size() == 1);
  return ("\n" + collected.events[0]).find("\n" + line + "\n") != std::string::npos;
}

Rejection rejection(const std::string& row, std::string_view names = columns) {
  const auto collected = decode(row, names);
  REQUIRE(collected.rejections.size() == 1);
  return collected.rejections[0];
}

std::string refusal(const std::string& yaml) {
  DecoderOptions options;
  options.csv_mapping = yaml;
  const auto decoder = make_decoder("csv", options);
  REQUIRE_FALSE(decoder.has_value());
  CHECK(decoder.error().code == ErrorCode::invalid_argument);
  return decoder.error().sentence;
}

}  // namespace

TEST_CASE("a mapped CSV row becomes an event", "[ingest]") {
  const auto collected =
      decode(R"(r-1,1800007200123.5,gpt-5,100,60,7,3,k-1,batch,"chat ""x"", y",/v1,9)");
  for (const auto* line :
       {"source=search-gateway", "id=r-1", "completed_at=2027-01-15T10:00:00.1235Z",
        "provider=openai", "model=gpt-5", "workload=chat \"x\", y//v1", "input_uncached=40",
        "cache_read=60", "output_text=7", "input_total=100", "pages=3", "team=unattributed"}) {
    INFO(line);
    CHECK(says(collected, line));
  }
  CHECK(collected.events[0].find("enums=batch") != std::string::npos);
}

TEST_CASE("an empty CSV cell is absent and zero is not", "[ingest]") {
  const auto collected = decode("r-1,1800007200123,gpt-5,,0,,,,,,,");
  CHECK(says(collected, "cache_read=0"));
  CHECK(collected.events[0].find("input_uncached") == std::string::npos);
  CHECK(collected.events[0].find("output_text") == std::string::npos);
}

TEST_CASE("CSV cells that cannot be meant are refused", "[ingest]") {
  const auto row = [](const std::string& prompt, const std::string& cached) {
    return "r-1,1800007200123,gpt-5," + prompt + "," + cached + ",7,,,,,,";
  };
  CHECK(rejection(row("100", "101")).reason == RejectReason::totals_disagree);
  CHECK(rejection(row("-1", "0")).reason == RejectReason::totals_disagree);
  CHECK(rejection(row("1,000", "0")).reason == RejectReason::undecodable);
  CHECK(rejection(row("1.5", "0")).detail == "input_total is '1.5', not a count");
  CHECK(says(decode(row("1e2", "0")), "input_total=100"));
  CHECK(rejection(row("", "99999999999999999999")).reason == RejectReason::count_too_large);
  CHECK(rejection("r-1,soon,gpt-5,1,,,,,,,,").reason == RejectReason::invalid_time);
  CHECK(rejection("r-1,1800007200123,gpt-5,1,,,,,slow,,,").reason == RejectReason::unknown_enum);
  CHECK(rejection("r-1,1800007200123").detail == "the row has 2 cells, the first line 12");
  CHECK(rejection("r-1,\"x\"y,,,,,,,,,,").reason == RejectReason::undecodable);
  CHECK(rejection("r-1,\xFF,,,,,,,,,,").reason == RejectReason::invalid_text);
  CHECK(rejection(",1800007200123,gpt-5,1,,,,,,,,").reason == RejectReason::missing_identity);
  CHECK(rejection("r-1", "request").detail == "there is no column 'finished'");
  CHECK(rejection("r-1", "").reason == RejectReason::unmapped);
}

TEST_CASE("a CSV decoder follows the columns from file to file", "[ingest]") {
  DecoderOptions options;
  options.csv_mapping =
      "csv: {delimiter: ';', columns: {i: id, n: output_text, t: completed_at},"
      " constants: {source: s, provider: p, model: m}}";
  const auto decoder = make_decoder("csv", options);
  REQUIRE(decoder.has_value());
  const auto read = [&](const std::string& names, const std::string& row) {
    return decode_all(*decoder.value(), row,
                      std::vector<RecordHeader>{{csv_columns_header, names}});
  };
  CHECK(says(read("i;n;t", "a;1;2027-01-16 10:00:00.1234567"), "output_text=1"));
  CHECK(says(read("t;n;i", "2027-01-16T10:00:00+0100;2;b"), "completed_at=2027-01-16T09:00:00Z"));
  CHECK(read("t;n", "2027-01-16;2").rejections.size() == 1);
  CHECK(says(read("t;n;i", "2027-01-16T10:00:00Z;3;c"), "id=c"));
}

TEST_CASE("CSV evidence decides the team", "[ingest]") {
  const auto document = Attribution::parse("attribution: [{match: {api_key: k-1}, team: search}]");
  REQUIRE(document.has_value());
  const std::string row = "r-1,1800007200123,gpt-5,100,60,7,3,k-1,,,,";
  CHECK(says(decode(row, columns, mapping, &document.value()), "team=search"));
}

TEST_CASE("a CSV mapping that cannot be meant is refused with a sentence", "[ingest]") {
  CHECK(refusal("") == "CSV mapping: the format csv needs one");
  CHECK(refusal("[").find("not YAML") != std::string::npos);
  CHECK(refusal("csv: {}").find("no column is mapped") != std::string::npos);
  CHECK(refusal("csv: {columns: {a: idd}}").find("'idd' is not a field") != std::string::npos);
  CHECK(refusal("csv: {columns: {a: retracts}}").find("'retracts'") != std::string::npos);
  CHECK(refusal("csv: {columns: {a: id, b: id}}").find("id is filled twice") != std::string::npos);
  CHECK(refusal("csv: {columns: {a: extras.cache_read}}").find("field of its own") !=
        std::string::npos);
  CHECK(refusal("csv: {columns: {a: {field: completed_at, format: epoch}}}").find("'epoch'") !=
        std::string::npos);
  CHECK(refusal("csv: {columns: {a: {format: unix}}}").find("names no field") != std::string::npos);
  CHECK(refusal("csv: {constants: {purpose: fun}}").find("'fun' is unknown") != std::string::npos);
  CHECK(refusal("csv: {constants: {cache_read: 5}}").find("no constant") != std::string::npos);
  CHECK(refusal("csv: {delimiter: '||', columns: {a: id}}").find("delimiter") != std::string::npos);
  CHECK(refusal("csv: {join: {id: [a]}}").find("joined") != std::string::npos);
  CHECK(refusal("csv: {column: {a: id}}").find("'column'") != std::string::npos);
}
