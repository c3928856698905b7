// Records that hold raw responses: one response, one stream (a list of its events, or
// server-sent events), one envelope, or a list of envelopes.
#include <fmt/format.h>

#include "ingest/formats/adapters.h"
#include "ingest/formats/envelope.h"
#include "ingest/formats/response.h"
#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool is_server_sent(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return false;
  text.remove_prefix(begin);
  return text.starts_with("data:") || text.starts_with("event:") || text.starts_with("id:") ||
         text.starts_with(':');
}

// The data lines of server-sent events as one JSON list. Providers send one line per event.
std::string server_sent_as_list(std::string_view text) {
  std::string list = "[";
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos || line.substr(begin) == "[DONE]") continue;
    if (list.size() > 1) list += ',';
    list += line.substr(begin);
  }
  return list + "]";
}

class ResponseDecoder final : public Decoder {
 public:
  ResponseDecoder(const ResponseFormat& format, const DecoderOptions& options)
      : format_(format), options_(options) {}

  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    memory_.clear();
    part_ = record;
    headers_ = headers;
    if (record.size() > limits::record_bytes_max)
      return sink.reject(
          RejectReason::record_too_large,
          fmt::format("more than the {} bytes of one record", limits::record_bytes_max), record);
    dom::element root;
    if (const auto error = parse(parser_, record, root)) {
      const auto reason =
          error == simdjson::UTF8_ERROR ? RejectReason::invalid_text : RejectReason::undecodable;
      return sink.reject(reason, fmt::format("not JSON: {}", simdjson::error_message(error)),
                         record);
    }
    decode_root(root, sink);
  }

 private:
  simdjson::error_code parse(dom::parser& parser, std::string_view text, dom::element& root) {
    if (!is_server_sent(text)) return parser.parse(text.data(), text.size()).get(root);
    return parser.parse(server_sent_as_list(text)).get(root);
  }

  void decode_root(dom::element root, EventSink& sink) {
    dom::object object;
    if (root.get_object().get(object) == simdjson::SUCCESS) {
      if (EnvelopeReader::is_envelope(object)) return decode_envelope(object, sink);
      return answer(Envelope{root, std::nullopt, {}, {}}, UsageEvent{}, sink);
    }
    dom::array list;
    if (root.get_array().get(list) != simdjson::SUCCESS)
      return sink.reject(RejectReason::undecodable, "neither a JSON object nor a list of them",
                         part_);
    dom::object first;
    const auto is_batch = list.size() > 0 && (*list.begin()).get_object().get(first) == 0 &&
                          EnvelopeReader::is_envelope(first);
    if (!is_batch) return answer(Envelope{std::nullopt, root, {}, {}}, UsageEvent{}, sink);
    for (const auto element : list) {
      part_ = memory_.keep(simdjson::to_string(element));
      if (element.get_object().get(object) == simdjson::SUCCESS)
        decode_envelope(object, sink);
      else
        sink.reject(RejectReason::undecodable, "an element of the list is no object", part_);
    }
  }

  void decode_envelope(dom::object object, EventSink& sink) {
    UsageEvent event;
    Envelope envelope;
    const auto reason = envelope_reader_.read(object, event, envelope, memory_);
    if (reason == RejectReason::none) return answer(std::move(envelope), event, sink);
    sink.reject(reason, envelope_reader_.detail(), part_);
  }

  void answer(Envelope envelope, UsageEvent event, EventSink& sink) {
    detail_.clear();
    auto reason = read_response(envelope);
    if (reason == RejectReason::none) reason = complete(envelope, event);
    if (reason == RejectReason::none) reason = check(event, detail_);
    if (reason != RejectReason::none) return sink.reject(reason, detail_, part_);
    // Readers forget their strings with the next envelope of the record.
    memory_.keep_texts(event);
    sink.accept(event);
  }

  RejectReason refuse(RejectReason reason, std::string sentence) {
    detail_ = std::move(sentence);
    return reason;
  }

  RejectReason read_response(const Envelope& envelope) {
    reading_.clear();
    if (envelope.response && envelope.stream)
      return refuse(RejectReason::undecodable, "both a response and a stream are given");
    if (envelope.response) {
      dom::object object;
      if (envelope.response->get_object().get(object) != simdjson::SUCCESS)
        return refuse(RejectReason::undecodable, "response is not an object");
      format_.take(object, reading_);
    } else if (envelope.stream) {
      return read_stream(*envelope.stream);
    }
    return RejectReason::none;
  }

  RejectReason read_stream(dom::element stream) {
    std::string_view text;
    if (stream.get_string().get(text) == simdjson::SUCCESS &&
        stream_parser_.parse(server_sent_as_list(text)).get(stream) != simdjson::SUCCESS)
      return refuse(RejectReason::undecodable, "stream is not made of server-sent JSON events");
    dom::array events;
    if (stream.get_array().get(events) != simdjson::SUCCESS)
      return refuse(RejectReason::undecodable, "stream is neither a list nor server-sent events");
    for (const auto element : events) {
      dom::object object;
      if (element.get_object().get(object) != simdjson::SUCCESS)
        return refuse(RejectReason::undecodable, "an event of the stream is no object");
      format_.take(object, reading_);
    }
    return RejectReason::none;
  }

  // Puts response, headers and options into the event.
  RejectReason complete(Envelope& envelope, UsageEvent& event) {
    // What answered wins over what was asked for.
    if (!reading_.model.empty()) event.model = reading_.model;
    if (event.model.empty()) event.model = envelope.request_model;
    if (event.provider_request_id.empty()) event.provider_request_id = reading_.id;
    if (auto reason = read_gauger_headers(headers_, event, detail_); reason != RejectReason::none)
      return reason;
    apply_defaults(options_, event);
    if (event.provider.empty()) event.provider = format_.provider;
    if (event.id.empty()) event.id = reading_.id;
    if (event.id.empty()) event.id = event.provider_request_id = request_id_header();
    if (event.completed_at == no_instant) event.completed_at = reading_.completed_at;
    if (const auto reason = count(event); reason != RejectReason::none) return reason;
    if (event.region.empty()) event.region = reading_.region;
    add_transport_evidence(headers_, event, memory_, envelope.evidence);
    attribution_of(options_).attribute(event, envelope.evidence, memory_);
    return RejectReason::none;
  }

  std::string_view request_id_header() const {
    for (const auto* name : {"x-amzn-requestid", "request-id", "x-request-id"})
      if (const auto id = find_header(headers_, name);
          !id.empty() && simdjson::validate_utf8(id.data(), id.size()))
        return id;
    return {};
  }

  RejectReason usage_reason() {
    const auto reason = reading_.usage.reason();
    return reason == RejectReason::none ? reason
                                        : refuse(reason, "usage: " + reading_.usage.detail());
  }

  RejectReason count(UsageEvent& event) {
    if (reading_.is_unfinished && !reading_.has_usage)
      return refuse(RejectReason::missing_field, "the response is not finished");
    if (reading_.is_batch) event.service_tier = ServiceTier::batch;
    if (!reading_.has_usage) {
      event.usage_source = UsageSource::missing;
      return RejectReason::none;
    }
    // Numbers that are impossible by themselves come first.
    auto reason = usage_reason();
    if (reason == RejectReason::none) reason = format_.count(reading_, {event, memory_, detail_});
    if (reason == RejectReason::none) reason = usage_reason();
    if (reason != RejectReason::none) return reason;
    reading_.usage.leave_extras(event, memory_);
    if (reading_.is_partial) event.usage_source = UsageSource::estimated;
    return RejectReason::none;
  }

  const ResponseFormat& format_;
  DecoderOptions options_;
  dom::parser parser_;
  dom::parser stream_parser_;
  EnvelopeReader envelope_reader_;
  ResponseReading reading_;
  EventMemory memory_;
  std::string detail_;
  std::string_view part_;  // of the record, being decoded
  std::span<const RecordHeader> headers_;
};

}  // namespace

std::unique_ptr<Decoder> make_response_decoder(const ResponseFormat& format,
                                               const DecoderOptions& options) {
  return std::make_unique<ResponseDecoder>(format, options);
}

}  // namespace gauger::ingest
