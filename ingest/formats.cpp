#include "ingest/formats.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>

#include "ingest/formats/adapters.h"
#include "ingest/formats/envelope.h"
#include "ingest/formats/response.h"
#include "ingest/json_decoder.h"
#include "ingest/wire_decoder.h"

namespace gauger::ingest {
namespace {

constexpr std::array<std::string_view, 14> names = {
    "proto",     "proto-batch", "proto-delimited", "json",   "cloudevents",       "confluent",
    "anthropic", "openai",      "bedrock",         "gemini", "openai-compatible", "otlp",
    "litellm",   "csv"};

// Gives a team to events of the canonical formats, whose decoders know nothing but their bytes.
class AttributingDecoder final : public Decoder, EventSink {
 public:
  AttributingDecoder(std::unique_ptr<Decoder> inner, const DecoderOptions& options)
      : inner_(std::move(inner)), options_(options) {}

  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    memory_.clear();
    headers_ = headers;
    sink_ = &sink;
    inner_->decode(record, headers, *this);
  }

 private:
  void accept(const UsageEvent& event) override {
    if (!event.team.empty()) return sink_->accept(event);
    auto attributed = event;
    evidence_.clear();
    add_header_evidence(headers_, memory_, evidence_);
    attribute_canonical(attributed, evidence_, attribution_of(options_), memory_);
    sink_->accept(attributed);
  }
  void reject(RejectReason reason, std::string_view detail, std::string_view part) override {
    sink_->reject(reason, detail, part);
  }

  std::unique_ptr<Decoder> inner_;
  DecoderOptions options_;
  EventMemory memory_;
  std::vector<Evidence> evidence_;
  std::span<const RecordHeader> headers_;
  EventSink* sink_ = nullptr;  // of the record being decoded
};

std::unique_ptr<Decoder> make_canonical(std::string_view format) {
  if (format == "proto") return make_wire_decoder(WirePacking::single);
  if (format == "proto-batch") return make_wire_decoder(WirePacking::batch);
  if (format == "proto-delimited") return make_wire_decoder(WirePacking::delimited);
  if (format == "json") return make_json_decoder();
  if (format == "confluent") return make_confluent_decoder();
  return nullptr;
}

const ResponseFormat* find_response_format(std::string_view format) {
  if (format == "anthropic") return &anthropic_format;
  if (format == "openai") return &openai_format;
  if (format == "bedrock") return &bedrock_format;
  if (format == "gemini") return &gemini_format;
  if (format == "openai-compatible") return &openai_compatible_format;
  return nullptr;
}

// The media type without parameters, in lower case.
std::string media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  std::string result(type);
  for (auto& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool has_header(std::span<const RecordHeader> headers, std::string_view name) {
  for (const auto& header : headers)
    if (is_header(header.name, name)) return true;
  return false;
}

}  // namespace

std::span<const std::string_view> decoder_names() { return names; }

const Attribution& attribution_of(const DecoderOptions& options) {
  static const Attribution none;
  return options.attribution != nullptr ? *options.attribution : none;
}

Result<std::unique_ptr<Decoder>> make_decoder(std::string_view format,
                                              const DecoderOptions& options) {
  if (auto canonical = make_canonical(format))
    return std::unique_ptr<Decoder>(
        std::make_unique<AttributingDecoder>(std::move(canonical), options));
  if (const auto* response = find_response_format(format))
    return make_response_decoder(*response, options);
  if (format == "cloudevents") return make_cloudevents_decoder(options);
  if (format == "otlp") return make_otlp_decoder(options);
  if (format == "litellm") return make_litellm_decoder(options);
  if (format == "csv") return make_csv_decoder(options);
  return invalid_argument(
      fmt::format("'{}' is not a format; there are {}", format, fmt::join(names, ", ")));
}

Framing framing_of(std::string_view format, Framing by_suffix) {
  if (by_suffix != Framing::json_values || find_response_format(format) == nullptr)
    return by_suffix;
  return Framing::json_documents;
}

bool is_header(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() &&
         ::strncasecmp(name.data(), wanted.data(), wanted.size()) == 0;
}

std::string_view find_header(std::span<const RecordHeader> headers, std::string_view wanted) {
  for (const auto& header : headers)
    if (is_header(header.name, wanted)) return header.value;
  return {};
}

std::optional<BodyFormat> find_body_format(std::span<const RecordHeader> headers) {
  const auto content_type = find_header(headers, "content-type");
  const auto type = media_type(content_type);
  if (type.starts_with("application/cloudevents")) return BodyFormat{"cloudevents", std::nullopt};
  for (const auto* name : {"ce_specversion", "ce-specversion", "ce_id", "ce-id"})
    if (has_header(headers, name)) return BodyFormat{"cloudevents", std::nullopt};
  if (has_header(headers, "__value_schema_id")) return BodyFormat{"confluent", std::nullopt};
  if (type == "application/json") return BodyFormat{"json", std::nullopt};
  if (type == "application/x-ndjson" || type == "application/jsonl" ||
      type == "application/json-lines")
    return BodyFormat{"json", Framing::lines};
  if (type == "application/protobuf" || type == "application/x-protobuf" ||
      type == "application/vnd.google.protobuf") {
    // "application/x-protobuf; messageType=gauger.v1.UsageEventBatch", "…; delimited=true"
    if (content_type.find("UsageEventBatch") != std::string_view::npos)
      return BodyFormat{"proto-batch", std::nullopt};
    if (content_type.find("delimited=true") != std::string_view::npos)
      return BodyFormat{"proto", Framing::delimited};
    return BodyFormat{"proto", std::nullopt};
  }
  if (type == "text/csv") return BodyFormat{"csv", Framing::csv};
  return std::nullopt;
}

}  // namespace gauger::ingest
