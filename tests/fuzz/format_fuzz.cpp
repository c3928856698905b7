// One target per adapter (FUZZ_FORMAT): whatever a record holds, every answer is an event that
// obeys the rules or a rejection with a sentence, and a second reading answers the same.
#include "ingest/formats.h"

#include <vector>

#include "ingest/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/wire_reference.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

constexpr std::string_view format = FUZZ_FORMAT;

class Answers final : public EventSink {
 public:
  void accept(const UsageEvent& event) override {
    std::string detail;
    require(check(event, detail) == RejectReason::none, "accepted, yet: " + detail);
    require(!event.team.empty(), "accepted without a team");
    for (size_t i = 1; i < event.extras.size(); ++i)
      require(event.extras[i - 1].name < event.extras[i].name, "extras are not sorted");
    text += describe(event) + "\n";
  }
  void reject(RejectReason reason, std::string_view detail, std::string_view part) override {
    require(reason != RejectReason::none, "rejected for no reason");
    require(!detail.empty(), "rejected without a sentence");
    text += fmt::format("{}: {} ({} bytes)\n", to_string(reason), detail, part.size());
  }
  std::string text;
};

DecoderOptions options() {
  static const auto attribution = Attribution::parse(
      "attribution: [{match: {api_key: 'k*'}, team: search},"
      " {match: {tag.team: '*'}, team_from: tag.team}, {match: {header.x: y}, team: z}]");
  DecoderOptions result;
  result.source = "fuzz";
  result.attribution = &attribution.value();
  result.csv_mapping =
      "csv: {columns: {a: id, b: {field: completed_at, format: unix_ms}, c: input_total,"
      " d: cache_read, e: extras.pages, f: service_tier}, join: {workload: [a, f]},"
      " constants: {source: s, provider: p, model: m}}";
  return result;
}

// The first byte of formats that read headers chooses them.
std::vector<RecordHeader> headers_of(uint8_t choice, std::string_view value) {
  if (format == "csv") return {{csv_columns_header, "a,b,c,d,e,f"}};
  if (format == "confluent" && (choice & 1U) != 0)
    return {{"__value_schema_id", value.substr(0, 18)}};
  if (format == "cloudevents" && (choice & 1U) != 0)
    return {{"ce_specversion", "1.0"},
            {"ce_id", "1"},
            {"ce_source", "s"},
            {"ce_time", "2027-01-16T10:00:00Z"},
            {"ce_subject", value.substr(0, 4)},
            {"content-type", (choice & 2U) != 0 ? "application/protobuf" : "application/json"}};
  return {{"gauger-completed-at", "2027-01-16T10:00:00Z"}, {"gauger-model", "m"}, {"x", "y"}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto decoder = make_decoder(format, options()).value();
  constexpr auto has_choice = format == "cloudevents" || format == "confluent";
  if (has_choice && size == 0) return 0;
  const auto record = view(data, size).substr(has_choice ? 1 : 0);
  const auto headers = headers_of(has_choice ? data[0] : 0, record);
  Answers first;
  Answers second;
  decoder->decode(record, headers, first);
  decoder->decode(record, headers, second);
  require(first.text == second.text, "two readings differ:\n" + first.text + second.text);
  // An OTLP request may hold no call of a model, a list or a batch nothing at all.
  const auto may_be_empty = format == "otlp" || record.find('[') != record.npos ||
                            (format == "confluent" && record.size() < 20);
  require(!first.text.empty() || may_be_empty, "a record without an answer");
  return 0;
}
