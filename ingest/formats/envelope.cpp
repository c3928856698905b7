#include "ingest/formats/envelope.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/event_fields.h"
#include "ingest/numbers.h"

namespace gauger::ingest {
namespace {

constexpr std::string_view header_prefix = "gauger-";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

bool EnvelopeReader::is_envelope(dom::object object) {
  // OpenAI's own objects with a `response` inside have a `type` (stream) or a `custom_id` (batch).
  const auto has = [&](std::string_view key) {
    dom::element ignored;
    return object.at_key(key).get(ignored) == simdjson::SUCCESS;
  };
  return (has("response") || has("stream")) && !has("type") && !has("custom_id");
}

RejectReason EnvelopeReader::refuse(RejectReason reason, std::string sentence) {
  detail_ = std::move(sentence);
  return reason;
}

RejectReason EnvelopeReader::read(dom::object object, UsageEvent& event, Envelope& envelope,
                                  EventMemory& memory) {
  fields_json_ = "{";
  for (const auto& [key, value] : object) {
    if (find_field(key) == nullptr) {
      const auto reason = read_member(key, value, envelope, memory);
      if (reason != RejectReason::none) return reason;
      continue;
    }
    if (fields_json_.size() > 1) fields_json_ += ',';
    fields_json_ += fmt::format("\"{}\":{}", key, simdjson::to_string(value));
  }
  fields_json_ += "}";
  if (const auto reason = fields_.read(fields_json_, event); reason != RejectReason::none)
    return refuse(reason, fields_.detail());
  // Time on an accelerator is nothing that a response knows; tokens are.
  const auto tokens = event.present & ((1U << token_meter_count) - 1);
  if (tokens != 0 || event.input_total != no_total || event.output_total != no_total)
    return refuse(RejectReason::undecodable, "token counts are stated beside a response");
  return RejectReason::none;
}

RejectReason EnvelopeReader::read_member(std::string_view key, dom::element value,
                                         Envelope& envelope, EventMemory& memory) {
  std::string_view text;
  if (key == "response" || key == "stream") {
    auto& into = key == "response" ? envelope.response : envelope.stream;
    if (into) return refuse(RejectReason::undecodable, fmt::format("{} is given twice", key));
    if (!value.is_null()) into = value;
    return RejectReason::none;
  }
  if (value.is_null()) return RejectReason::none;
  if (key == "request") {
    dom::object request;
    if (value.get_object().get(request) != simdjson::SUCCESS)
      return refuse(RejectReason::undecodable, "request is not an object");
    take_text(request, "model", envelope.request_model);
    take_text(request, "modelId", envelope.request_model);
    return RejectReason::none;
  }
  if (key == "api_key" || key == "workspace" || key == "user") {
    if (value.get_string().get(text) != simdjson::SUCCESS)
      return refuse(RejectReason::undecodable, fmt::format("{} is not a string", key));
    envelope.evidence.push_back({key, text});
    return RejectReason::none;
  }
  if (key == "tags") {
    read_tags(value, envelope, memory);
    return RejectReason::none;
  }
  // Why a call failed is of interest to others.
  if (key == "error") return RejectReason::none;
  return refuse(RejectReason::unknown_field,
                fmt::format("unknown key '{}' beside a response", shown(key)));
}

void EnvelopeReader::read_tags(dom::element value, Envelope& envelope, EventMemory& memory) {
  dom::object members;
  dom::array list;
  std::string_view text;
  if (value.get_object().get(members) == simdjson::SUCCESS) {
    for (const auto& [name, tag] : members)
      if (tag.get_string().get(text) == simdjson::SUCCESS)
        envelope.evidence.push_back({memory.keep(fmt::format("tag.{}", name)), text});
  } else if (value.get_array().get(list) == simdjson::SUCCESS) {
    for (const auto tag : list)
      if (tag.get_string().get(text) == simdjson::SUCCESS) add_tag(text, memory, envelope.evidence);
  }
}

RejectReason read_gauger_headers(std::span<const RecordHeader> headers, UsageEvent& event,
                                 std::string& detail) {
  const auto refuse = [&](RejectReason reason, std::string sentence) {
    detail = std::move(sentence);
    return reason;
  };
  for (const auto& header : headers) {
    auto name = lower(header.name);
    if (!name.starts_with(header_prefix)) continue;
    name.erase(0, header_prefix.size());
    std::ranges::replace(name, '-', '_');
    const auto* field = find_field(name);
    if (!simdjson::validate_utf8(header.value.data(), header.value.size()))
      return refuse(RejectReason::invalid_text, fmt::format("the header of {} is not UTF-8", name));
    if (field != nullptr && field->text != nullptr) {
      if ((event.*field->text).empty()) event.*field->text = header.value;
    } else if (field != nullptr && field->time != nullptr) {
      const auto instant = parse_timestamp(header.value);
      if (instant == no_instant)
        return refuse(RejectReason::invalid_time,
                      fmt::format("the header of {} is '{}', no time", name, shown(header.value)));
      if (event.*field->time == no_instant) event.*field->time = instant;
    } else if (field != nullptr && is_enum(field->kind)) {
      const auto number = find_enum_number(field->kind, header.value);
      if (!number || !set_enum(event, field->kind, *number))
        return refuse(
            RejectReason::unknown_enum,
            fmt::format("the header of {} is '{}', which is unknown", name, shown(header.value)));
    } else {
      return refuse(RejectReason::unknown_field,
                    fmt::format("the header '{}' names no text, time or enum of an event",
                                shown(header.name)));
    }
  }
  return RejectReason::none;
}

void apply_defaults(const DecoderOptions& options, UsageEvent& event) {
  if (event.source.empty()) event.source = options.source;
  if (event.provider.empty()) event.provider = options.provider;
  if (event.provider_account.empty()) event.provider_account = options.provider_account;
}

void add_header_evidence(std::span<const RecordHeader> headers, EventMemory& memory,
                         std::vector<Evidence>& evidence) {
  for (const auto& header : headers)
    if (simdjson::validate_utf8(header.value.data(), header.value.size()))
      evidence.push_back({memory.keep("header." + lower(header.name)), header.value});
}

void add_transport_evidence(std::span<const RecordHeader> headers, const UsageEvent& event,
                            EventMemory& memory, std::vector<Evidence>& evidence) {
  evidence.push_back({"source", event.source});
  evidence.push_back({"provider_account", event.provider_account});
  add_header_evidence(headers, memory, evidence);
}

void add_tag(std::string_view tag, EventMemory& memory, std::vector<Evidence>& evidence) {
  const auto colon = tag.find(':');
  const auto name = tag.substr(0, colon);
  const auto value = colon == std::string_view::npos ? tag : tag.substr(colon + 1);
  evidence.push_back({memory.keep(fmt::format("tag.{}", name)), value});
}

}  // namespace gauger::ingest
