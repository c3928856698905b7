// CloudEvents 1.0 in JSON (structured, single or batch) and in Kafka's or HTTP's binary mode.
// Identity is CloudEvents' own, source and id; `time` is the completion where the data says none.
// The data is a usage event, as JSON or protobuf, or in OpenMeter's manner a number of `tokens` of
// one `type` (input, output, or a meter's name).
#include <fmt/format.h>

#include "ingest/formats/adapters.h"
#include "ingest/formats/envelope.h"
#include "ingest/formats/json_records.h"
#include "ingest/formats/usage_object.h"
#include "ingest/numbers.h"
#include "ingest/wire_decoder.h"
#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

bool decode_base64(std::string_view text, std::string& bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  bytes.clear();
  uint32_t bits = 0;
  int held = 0;
  for (const auto c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6U | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xFFU));
  }
  return held < 6;
}

// What the attributes of one CloudEvent say.
struct Attributes {
  std::string_view spec_version;
  std::string_view id;
  std::string_view source;
  std::string_view time;
  std::string_view subject;
  std::string_view content_type;
  std::string_view team;
  std::string_view project;
  std::string_view workload;

  std::string_view* find(std::string_view name) {
    const std::array<std::pair<std::string_view, std::string_view*>, 9> known = {
        {{"specversion", &spec_version},
         {"id", &id},
         {"source", &source},
         {"time", &time},
         {"subject", &subject},
         {"datacontenttype", &content_type},
         {"team", &team},
         {"project", &project},
         {"workload", &workload}}};
    for (const auto& [known_name, value] : known)
      if (known_name == name) return value;
    return nullptr;
  }
};

bool is_protobuf(std::string_view content_type) {
  return content_type.find("protobuf") != std::string_view::npos;
}

// JSON is what no content type means.
bool is_json(std::string_view content_type) {
  return content_type.empty() || content_type.find("json") != std::string_view::npos;
}

class CloudEventsDecoder final : public Decoder {
 public:
  explicit CloudEventsDecoder(const DecoderOptions& options) : options_(options) {}

  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    memory_.clear();
    scratch_.clear();
    headers_ = headers;
    if (is_binary()) return decode_binary(record, sink);
    const auto root = parse_record(parser_, record, sink);
    if (!root) return;
    dom::array batch;
    if (root->get_array().get(batch) != simdjson::SUCCESS)
      return decode_structured(*root, record, sink);
    for (const auto element : batch)
      decode_structured(element, memory_.keep(simdjson::to_string(element)), sink);
  }

 private:
  RejectReason refuse(RejectReason reason, std::string sentence) {
    detail_ = std::move(sentence);
    return reason;
  }

  std::string_view find_attribute_header(std::string_view name) const {
    const auto value = find_header(headers_, fmt::format("ce_{}", name));
    return value.empty() ? find_header(headers_, fmt::format("ce-{}", name)) : value;
  }

  bool is_binary() const {
    return !find_attribute_header("specversion").empty() || !find_attribute_header("id").empty();
  }

  void decode_binary(std::string_view record, EventSink& sink) {
    Attributes attributes;
    for (const auto* name :
         {"specversion", "id", "source", "time", "subject", "team", "project", "workload"})
      *attributes.find(name) = find_attribute_header(name);
    attributes.content_type = find_header(headers_, "content-type");
    evidence_.clear();
    UsageEvent event;
    auto reason = check_texts(attributes);
    if (record.size() > limits::record_bytes_max)
      reason =
          refuse(RejectReason::record_too_large,
                 fmt::format("more than the {} bytes of one record", limits::record_bytes_max));
    if (reason == RejectReason::none) reason = read_data(record, attributes.content_type, event);
    answer(reason, attributes, event, record, sink);
  }

  RejectReason check_texts(Attributes& attributes) {
    for (const auto* name :
         {"specversion", "id", "source", "time", "subject", "team", "project", "workload"}) {
      const auto text = *attributes.find(name);
      if (!simdjson::validate_utf8(text.data(), text.size()))
        return refuse(RejectReason::invalid_text, fmt::format("ce_{} is not UTF-8", name));
    }
    return RejectReason::none;
  }

  void decode_structured(dom::element root, std::string_view part, EventSink& sink) {
    Attributes attributes;
    UsageEvent event;
    evidence_.clear();
    const auto reason = read_structured(root, attributes, event);
    answer(reason, attributes, event, part, sink);
  }

  RejectReason read_structured(dom::element root, Attributes& attributes, UsageEvent& event) {
    dom::object object;
    if (root.get_object().get(object) != simdjson::SUCCESS)
      return refuse(RejectReason::undecodable, "a CloudEvent is a JSON object");
    std::optional<dom::element> data;
    std::optional<dom::element> data_base64;
    for (const auto& [key, value] : object) {
      if (key == "data" || key == "data_base64") {
        auto& into = key == "data" ? data : data_base64;
        if (into) return refuse(RejectReason::undecodable, fmt::format("{} is given twice", key));
        if (!value.is_null()) into = value;
        continue;
      }
      auto* const text = attributes.find(key);
      if (text == nullptr || value.is_null()) continue;
      if (!text->empty())
        return refuse(RejectReason::undecodable, fmt::format("{} is given twice", key));
      if (value.get_string().get(*text) != simdjson::SUCCESS)
        return refuse(RejectReason::undecodable, fmt::format("{} is not a string", key));
    }
    if (data_base64) return read_base64(*data_base64, attributes.content_type, event);
    if (!data) return refuse(RejectReason::undecodable, "the CloudEvent has no data");
    return read_json_data(*data, event);
  }

  RejectReason read_base64(dom::element data, std::string_view content_type, UsageEvent& event) {
    std::string_view text;
    std::string bytes;
    if (data.get_string().get(text) != simdjson::SUCCESS || !decode_base64(text, bytes))
      return refuse(RejectReason::undecodable, "data_base64 is not base64");
    return read_data(memory_.keep(std::move(bytes)), content_type, event);
  }

  RejectReason read_data(std::string_view data, std::string_view content_type, UsageEvent& event) {
    if (data.empty()) return refuse(RejectReason::undecodable, "the CloudEvent has no data");
    if (is_protobuf(content_type)) {
      const auto reason = read_wire(data, event, scratch_);
      if (reason != RejectReason::none) detail_ = scratch_.detail;
      return reason;
    }
    if (!is_json(content_type))
      return refuse(RejectReason::unmapped,
                    fmt::format("data of type '{}' is not read", shown(content_type)));
    dom::element json;
    if (const auto error = data_parser_.parse(data.data(), data.size()).get(json))
      return refuse(RejectReason::undecodable,
                    fmt::format("data is not JSON: {}", simdjson::error_message(error)));
    return read_json_data(json, event);
  }

  RejectReason read_json_data(dom::element data, UsageEvent& event) {
    dom::object object;
    if (data.get_object().get(object) != simdjson::SUCCESS)
      return refuse(RejectReason::undecodable, "the data of the CloudEvent is not an object");
    if (find_member(object, "tokens")) return read_tokens(object, event);
    return read_fields(simdjson::to_string(data), event);
  }

  RejectReason read_fields(const std::string& json, UsageEvent& event) {
    const auto reason = reader_.read(json, event);
    if (reason != RejectReason::none) return refuse(reason, reader_.detail());
    memory_.keep_texts(event);
    return RejectReason::none;
  }

  // OpenMeter's manner: other texts are tags, other numbers counted extras.
  RejectReason read_tokens(dom::object data, UsageEvent& event) {
    std::string fields = "{";
    UsageObject numbers;
    numbers.merge(data);
    if (numbers.reason() != RejectReason::none)
      return refuse(numbers.reason(), "data: " + numbers.detail());
    for (const auto& [key, value] : data) {
      std::string_view text;
      const auto is_text = value.get_string().get(text) == simdjson::SUCCESS;
      if (key == "tokens" || key == "type") continue;
      if (const auto* field = find_field(key); field != nullptr) {
        numbers.ignore({key});
        fields += fmt::format("{}\"{}\":{}", fields.size() > 1 ? "," : "", key,
                              simdjson::to_string(value));
      } else if (is_text) {
        evidence_.push_back({memory_.keep(fmt::format("tag.{}", key)), text});
      }
    }
    if (const auto reason = read_fields(fields + "}", event); reason != RejectReason::none)
      return reason;
    if (const auto reason = set_tokens(data, numbers, event); reason != RejectReason::none)
      return reason;
    numbers.leave_extras(event, memory_);
    return numbers.reason() == RejectReason::none ? RejectReason::none
                                                  : refuse(numbers.reason(), numbers.detail());
  }

  RejectReason set_tokens(dom::object data, UsageObject& numbers, UsageEvent& event) {
    auto tokens = numbers.take({"tokens"});
    int64_t quoted = 0;
    if (!tokens && parse_digits(text_at(data, "tokens"), quoted) == Whole::ok) tokens = quoted;
    if (!tokens) return refuse(RejectReason::undecodable, "data.tokens is not a count");
    const auto type = text_at(data, "type");
    const auto meter = type == "input" || type == "prompt"        ? Meter::input_uncached
                       : type == "output" || type == "completion" ? Meter::output_text
                                                                  : find_meter(type);
    if (!meter)
      return refuse(
          RejectReason::unmapped,
          fmt::format("data.type is '{}', neither input, output nor a meter", shown(type)));
    event.set(*meter, *tokens);
    return RejectReason::none;
  }

  void answer(RejectReason reason, const Attributes& attributes, UsageEvent& event,
              std::string_view part, EventSink& sink) {
    if (reason == RejectReason::none) reason = complete(attributes, event);
    if (reason == RejectReason::none) reason = check(event, detail_);
    if (reason != RejectReason::none) return sink.reject(reason, detail_, part);
    memory_.keep_texts(event);
    sink.accept(event);
  }

  RejectReason complete(const Attributes& attributes, UsageEvent& event) {
    if (attributes.spec_version != "1.0")
      return refuse(RejectReason::undecodable,
                    fmt::format("specversion is '{}', not 1.0", shown(attributes.spec_version)));
    event.source = attributes.source;
    event.id = attributes.id;
    if (event.completed_at == no_instant && !attributes.time.empty()) {
      event.completed_at = parse_loose_timestamp(attributes.time);
      if (event.completed_at == no_instant)
        return refuse(RejectReason::invalid_time,
                      fmt::format("time is '{}', not RFC 3339", shown(attributes.time)));
    }
    if (event.team.empty()) event.team = attributes.team;
    if (event.project.empty()) event.project = attributes.project;
    if (event.workload.empty()) event.workload = attributes.workload;
    // The source is identity here, and no default.
    if (event.provider.empty()) event.provider = options_.provider;
    if (event.provider_account.empty()) event.provider_account = options_.provider_account;
    evidence_.push_back({"subject", attributes.subject});
    add_transport_evidence(headers_, event, memory_, evidence_);
    attribution_of(options_).attribute(event, evidence_, memory_);
    return RejectReason::none;
  }

  DecoderOptions options_;
  dom::parser parser_;
  dom::parser data_parser_;
  JsonEventReader reader_;
  WireScratch scratch_;
  EventMemory memory_;
  std::vector<Evidence> evidence_;
  std::string detail_;
  std::span<const RecordHeader> headers_;
};

}  // namespace

std::unique_ptr<Decoder> make_cloudevents_decoder(const DecoderOptions& options) {
  return std::make_unique<CloudEventsDecoder>(options);
}

}  // namespace gauger::ingest
