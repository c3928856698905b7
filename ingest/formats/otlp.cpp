// OpenTelemetry GenAI spans, OTLP as JSON. A span is usage where it is one call of a model;
// spans of agents and tools repeat what their children say, and all other spans are passed over:
// the one format whose records may be answered by nothing. Input includes cache reads and writes,
// output includes reasoning; gen_ai.usage.total_tokens is a check and never added. Metrics are
// sums without identity, which no redelivery could be told from, and are refused.
#include <fmt/format.h>

#include <algorithm>

#include "ingest/formats/adapters.h"
#include "ingest/formats/envelope.h"
#include "ingest/formats/json_records.h"
#include "ingest/formats/response.h"
#include "ingest/numbers.h"

namespace gauger::ingest {
namespace {

constexpr std::string_view usage_prefix = "gen_ai.usage.";

struct Attribute {
  std::string_view key;
  dom::object value;
};

class OtlpAttributes {
 public:
  void clear() { attributes_.clear(); }
  void add(dom::object owner) {
    const auto list = array_at(owner, "attributes");
    if (!list) return;
    for (const auto element : *list) {
      dom::object attribute;
      if (element.get_object().get(attribute) != simdjson::SUCCESS) continue;
      if (const auto value = object_at(attribute, "value"))
        attributes_.push_back({text_at(attribute, "key"), *value});
    }
  }
  std::string_view text(std::initializer_list<std::string_view> keys) const {
    for (const auto key : keys)
      for (const auto& [name, value] : attributes_)
        if (name == key)
          if (const auto found = text_at(value, "stringValue"); !found.empty()) return found;
    return {};
  }
  const std::vector<Attribute>& all() const { return attributes_; }

 private:
  std::vector<Attribute> attributes_;
};

class OtlpDecoder final : public Decoder {
 public:
  explicit OtlpDecoder(const DecoderOptions& options) : options_(options) {}

  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    memory_.clear();
    headers_ = headers;
    const auto root = parse_record(parser_, record, sink);
    if (!root) return;
    dom::object document;
    if (root->get_object().get(document) != simdjson::SUCCESS)
      return sink.reject(RejectReason::undecodable, "an OTLP request is a JSON object", record);
    const auto resources = array_at(document, "resourceSpans");
    if (!resources)
      return sink.reject(RejectReason::unmapped,
                         find_member(document, "resourceMetrics")
                             ? "metrics are sums without identity: send spans"
                             : "no resourceSpans",
                         record);
    for (const auto element : *resources) {
      dom::object resource_spans;
      if (element.get_object().get(resource_spans) == simdjson::SUCCESS)
        decode_resource(resource_spans, sink);
    }
  }

 private:
  RejectReason refuse(RejectReason reason, std::string sentence) {
    detail_ = std::move(sentence);
    return reason;
  }

  void decode_resource(dom::object resource_spans, EventSink& sink) {
    const auto resource = object_at(resource_spans, "resource");
    const auto scopes = array_at(resource_spans, "scopeSpans");
    if (!scopes) return;
    for (const auto element : *scopes) {
      dom::object scope;
      if (element.get_object().get(scope) != simdjson::SUCCESS) continue;
      const auto spans = array_at(scope, "spans");
      if (!spans) continue;
      for (const auto span : *spans) {
        dom::object object;
        if (span.get_object().get(object) == simdjson::SUCCESS) decode_span(object, resource, sink);
      }
    }
  }

  void decode_span(dom::object span, const std::optional<dom::object>& resource, EventSink& sink) {
    span_.clear();
    span_.add(span);
    if (!is_model_call()) return;
    resource_.clear();
    if (resource) resource_.add(*resource);
    UsageEvent event;
    auto reason = read_span(span, event);
    if (reason == RejectReason::none) reason = check(event, detail_);
    if (reason == RejectReason::none) {
      memory_.keep_texts(event);
      return sink.accept(event);
    }
    sink.reject(reason, detail_, alone(span, resource));
  }

  // The span as a request of its own, so that quarantine can be sent again.
  std::string alone(dom::object span, const std::optional<dom::object>& resource) {
    return fmt::format(R"({{"resourceSpans":[{{"resource":{},"scopeSpans":[{{"spans":[{}]}}]}}]}})",
                       resource ? simdjson::to_string(*resource) : std::string("{}"),
                       simdjson::to_string(span));
  }

  bool has_usage() const {
    return std::ranges::any_of(span_.all(),
                               [](const Attribute& a) { return a.key.starts_with(usage_prefix); });
  }

  bool is_model_call() const {
    const auto operation = span_.text({"gen_ai.operation.name"});
    if (operation.empty()) return has_usage();
    for (const auto* call : {"chat", "text_completion", "generate_content", "embeddings"})
      if (operation == call) return true;
    return false;
  }

  RejectReason read_span(dom::object span, UsageEvent& event) {
    event.source = resource_.text({"service.name"});
    apply_defaults(options_, event);
    if (event.source.empty()) event.source = "otlp";
    const auto trace_id = text_at(span, "traceId");
    const auto span_id = text_at(span, "spanId");
    if (trace_id.empty() || span_id.empty())
      return refuse(RejectReason::missing_identity, "the span has no traceId or no spanId");
    event.id = memory_.keep(fmt::format("{}-{}", trace_id, span_id));
    for (const auto& [key, into] : {std::pair{"startTimeUnixNano", &event.started_at},
                                    std::pair{"endTimeUnixNano", &event.completed_at}})
      if (const auto reason = read_time(span, key, *into); reason != RejectReason::none)
        return reason;
    read_texts(event);
    constexpr std::array<TierWord, 8> tiers = {{{"default", ServiceTier::standard},
                                                {"standard", ServiceTier::standard},
                                                {"auto", ServiceTier::standard},
                                                {"batch", ServiceTier::batch},
                                                {"flex", ServiceTier::flex},
                                                {"priority", ServiceTier::priority},
                                                {"fast", ServiceTier::priority},
                                                {"scale", ServiceTier::provisioned}}};
    const CountTarget target{event, memory_, detail_};
    auto reason = set_tier(
        span_.text({"openai.response.service_tier", "gen_ai.openai.response.service_tier"}), tiers,
        target);
    if (reason == RejectReason::none) reason = read_usage(target);
    if (reason == RejectReason::none) attribute(event);
    return reason;
  }

  RejectReason read_time(dom::object span, std::string_view key, Instant& into) {
    auto text = text_at(span, key);
    std::string digits;
    if (const auto integer = integer_at(span, key); integer && text.empty())
      text = digits = std::to_string(*integer);
    if (text.empty() || text == "0") return RejectReason::none;
    constexpr int nanosecond_digits = 9;
    into = parse_unix_time(text, nanosecond_digits);
    if (into != no_instant) return RejectReason::none;
    return refuse(RejectReason::invalid_time, fmt::format("{} is '{}', no time", key, shown(text)));
  }

  void read_texts(UsageEvent& event) {
    const auto set = [](std::string_view& into, std::string_view text) {
      if (!text.empty()) into = text;
    };
    set(event.provider, provider(span_.text({"gen_ai.provider.name", "gen_ai.system"})));
    set(event.model, span_.text({"gen_ai.response.model", "gen_ai.request.model"}));
    set(event.agent_session, span_.text({"gen_ai.conversation.id"}));
    set(event.provider_request_id, span_.text({"gen_ai.response.id"}));
    for (const auto& field : event_fields) {
      if (field.text == nullptr || field.text == &UsageEvent::source ||
          field.text == &UsageEvent::id)
        continue;
      const auto key = fmt::format("gauger.{}", field.name);
      const auto own = span_.text({key});
      set(event.*field.text, own.empty() ? resource_.text({key}) : own);
    }
  }

  // The convention's names of providers, in the words that price books use.
  static std::string_view provider(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> names = {
        {{"aws.bedrock", "bedrock"},
         {"gcp.gemini", "gemini"},
         {"gcp.vertex_ai", "vertex_ai"},
         {"azure.ai.openai", "azure"},
         {"azure.ai.inference", "azure_ai"}}};
    for (const auto& [theirs, ours] : names)
      if (theirs == name) return ours;
    return name;
  }

  RejectReason read_usage(const CountTarget& target) {
    usage_.clear();
    for (const auto& [key, value] : span_.all()) {
      if (!key.starts_with(usage_prefix)) continue;
      if (const auto reason = put_number(key.substr(usage_prefix.size()), value);
          reason != RejectReason::none)
        return reason;
    }
    if (usage_.empty() && usage_.reason() == RejectReason::none) {
      target.event.usage_source = UsageSource::missing;
      return RejectReason::none;
    }
    const auto usage_reason = [&] {
      return usage_.reason() == RejectReason::none
                 ? RejectReason::none
                 : refuse(usage_.reason(), std::string(usage_prefix) + usage_.detail());
    };
    auto reason = usage_reason();
    if (reason == RejectReason::none) reason = count(target);
    if (reason == RejectReason::none) reason = usage_reason();
    if (reason == RejectReason::none) usage_.leave_extras(target.event, memory_);
    return reason;
  }

  // OTLP writes 64-bit integers as strings.
  RejectReason put_number(std::string_view path, dom::object value) {
    const auto integer = find_member(value, "intValue");
    std::string_view text;
    if (integer && integer->get_string().get(text) == simdjson::SUCCESS) {
      int64_t number = 0;
      if (parse_digits(text, number) != Whole::ok)
        return refuse(RejectReason::undecodable,
                      fmt::format("{}{} is '{}', not a count", usage_prefix, path, shown(text)));
      usage_.put(std::string(path), number);
      return RejectReason::none;
    }
    if (integer) usage_.put(std::string(path), *integer);
    if (const auto floating = find_member(value, "doubleValue"))
      usage_.put(std::string(path), *floating);
    return RejectReason::none;
  }

  RejectReason count(const CountTarget& target) {
    const auto input = usage_.take({"input_tokens", "prompt_tokens"});
    const auto output = usage_.take({"output_tokens", "completion_tokens"});
    const auto read = usage_.take({"cache_read.input_tokens", "cache_read_input_tokens"});
    const auto written =
        usage_.take({"cache_creation.input_tokens", "cache_creation_input_tokens"});
    const auto reasoning = usage_.take({"reasoning.output_tokens", "reasoning_tokens"});
    if (!input && !output)
      return refuse(RejectReason::missing_field,
                    "neither gen_ai.usage.input_tokens nor gen_ai.usage.output_tokens");
    auto reason = expect_total("gen_ai.usage.total_tokens", usage_.take({"total_tokens"}),
                               input.value_or(0) + output.value_or(0), target);
    int64_t uncached = 0;
    int64_t text = 0;
    if (reason == RejectReason::none && input)
      reason = subtract({"gen_ai.usage.input_tokens", *input},
                        {read.value_or(0), written.value_or(0)}, target, uncached);
    if (reason == RejectReason::none && output)
      reason =
          subtract({"gen_ai.usage.output_tokens", *output}, {reasoning.value_or(0)}, target, text);
    if (reason != RejectReason::none) return reason;
    if (input) target.event.set(Meter::input_uncached, uncached);
    target.set_if(Meter::cache_read, read);
    target.set_if(Meter::cache_write_5m, written);
    if (output) target.event.set(Meter::output_text, text);
    target.set_if(Meter::output_reasoning, reasoning);
    return RejectReason::none;
  }

  // Texts of the span and its resource are tags. Contents of messages are not.
  void attribute(UsageEvent& event) {
    evidence_.clear();
    for (const auto* attributes : {&span_, &resource_})
      for (const auto& [key, value] : attributes->all()) {
        const auto text = text_at(value, "stringValue");
        if (!text.empty() && text.size() <= limits::text_bytes_max)
          evidence_.push_back({memory_.keep(fmt::format("tag.{}", key)), text});
      }
    add_transport_evidence(headers_, event, memory_, evidence_);
    attribution_of(options_).attribute(event, evidence_, memory_);
  }

  DecoderOptions options_;
  dom::parser parser_;
  OtlpAttributes span_;
  OtlpAttributes resource_;
  UsageObject usage_;
  EventMemory memory_;
  std::vector<Evidence> evidence_;
  std::string detail_;
  std::span<const RecordHeader> headers_;
};

}  // namespace

std::unique_ptr<Decoder> make_otlp_decoder(const DecoderOptions& options) {
  return std::make_unique<OtlpDecoder>(options);
}

}  // namespace gauger::ingest
