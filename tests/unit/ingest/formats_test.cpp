#include "ingest/formats.h"

#include "tests/catch.h"
#include "tests/unit/ingest/collect.h"

using namespace gauger;
using namespace gauger::ingest;

TEST_CASE("every named format has a decoder, and other names a sentence", "[ingest]") {
  DecoderOptions options;
  options.csv_mapping = "csv: {columns: {a: id}}";
  for (const auto name : decoder_names()) {
    INFO(name);
    CHECK(make_decoder(name, options).has_value());
  }
  const auto unknown = make_decoder("xml", options);
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().sentence.starts_with("'xml' is not a format; there are proto"));
}

TEST_CASE("a JSON file of responses keeps its lists whole", "[ingest]") {
  CHECK(framing_of("gemini", Framing::json_values) == Framing::json_documents);
  CHECK(framing_of("json", Framing::json_values) == Framing::json_values);
  CHECK(framing_of("gemini", Framing::lines) == Framing::lines);
}

TEST_CASE("the headers of a message say its format", "[ingest]") {
  const auto format = [](std::vector<RecordHeader> headers) -> std::string {
    const auto found = find_body_format(headers);
    if (!found) return "unknown";
    return std::string(found->format) + (found->framing ? " framed" : "");
  };
  CHECK(format({}) == "unknown");
  CHECK(format({{"Content-Type", "Application/JSON; charset=utf-8"}}) == "json");
  CHECK(format({{"content-type", "application/x-ndjson"}}) == "json framed");
  CHECK(format({{"content-type", "application/x-protobuf"}}) == "proto");
  CHECK(format({{"content-type", "application/protobuf; proto=gauger.v1.UsageEventBatch"}}) ==
        "proto-batch");
  CHECK(format({{"content-type", "application/x-protobuf; delimited=true"}}) == "proto framed");
  CHECK(format({{"content-type", "application/cloudevents-batch+json"}}) == "cloudevents");
  CHECK(format({{"ce_id", "1"}, {"content-type", "application/json"}}) == "cloudevents");
  CHECK(format({{"__value_schema_id", "x"}}) == "confluent");
  CHECK(format({{"content-type", "text/csv"}}) == "csv framed");
  CHECK(format({{"content-type", "image/png"}}) == "unknown");
}

TEST_CASE("events of the canonical formats get a team where they have none", "[ingest]") {
  const auto document = Attribution::parse(
      "attribution: [{match: {provider_account: acct, header.x-env: prod}, team: search}]");
  REQUIRE(document.has_value());
  DecoderOptions options;
  options.attribution = &document.value();
  const auto decoder = make_decoder("json", options);
  REQUIRE(decoder.has_value());
  const std::string event = R"({"source":"s","id":"1","provider":"p","model":"m","output_text":1,)"
                            R"("completed_at":"2027-01-16T10:00:00Z","provider_account":"acct")";
  const std::vector<RecordHeader> headers = {{"X-Env", "prod"}};
  const auto claimed = decode_all(*decoder.value(), event + "}", headers);
  const auto unclaimed = decode_all(*decoder.value(), event + "}");
  const auto said = decode_all(*decoder.value(), event + R"(,"team":"own"})", headers);
  CHECK(claimed.events.at(0).find("team=search\n") != std::string::npos);
  CHECK(unclaimed.events.at(0).find("team=unattributed\n") != std::string::npos);
  CHECK(claimed.attribution_hashes.at(0) == unclaimed.attribution_hashes.at(0));
  CHECK(said.events.at(0).find("team=own\n") != std::string::npos);
  CHECK(said.attribution_hashes.at(0) == 0);
}
