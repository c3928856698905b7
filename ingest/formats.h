// Every producer's format by name, and which format a record's transport says it is.
//
//   proto             one gauger.v1.UsageEvent          json     the same as JSON, single or batch
//   proto-batch       one gauger.v1.UsageEventBatch     csv      rows, with a mapping document
//   proto-delimited   length-delimited UsageEvents
//   cloudevents       CloudEvents 1.0: structured, batch, or binary with ce_ headers
//   confluent         Confluent's wire format (schema registry) around protobuf or JSON
//   anthropic, openai, bedrock, gemini, openai-compatible
//                     raw responses or streams of providers, alone or in an envelope
//   otlp              OpenTelemetry GenAI spans, OTLP as JSON
//   litellm           LiteLLM spend-log rows
//
// Who an event belongs to is decided here as well (ingest/attribution.h): an event that leaves
// one of these decoders always has a team.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingest/attribution.h"
#include "ingest/decoder.h"
#include "ingest/framing.h"
#include "schemas/result.h"

namespace gauger::ingest {

// What a record leaves open. Texts that are empty stay open.
struct DecoderOptions {
  std::string source;
  std::string provider;
  std::string provider_account;
  std::string csv_mapping;  // YAML, for `csv`: see ingest/formats/csv_mapping.h
  // Decides teams; must outlive the decoder. None: what has no team is `unattributed`.
  const Attribution* attribution = nullptr;
};

// invalid_argument for a name or mapping that cannot be meant.
Result<std::unique_ptr<Decoder>> make_decoder(std::string_view format,
                                              const DecoderOptions& options);

// The names above, for help texts.
std::span<const std::string_view> decoder_names();

// How records of a format are cut out of a file whose suffix suggests `by_suffix`: a list of JSON
// may be the events of one stream, which only the format knows.
Framing framing_of(std::string_view format, Framing by_suffix);

// What a body or message holds, by its headers (Kafka's or HTTP's): the format, and how records
// are cut out of a body. Raw provider responses cannot be told apart this way. nullopt: the
// headers do not say.
struct BodyFormat {
  std::string_view format;
  std::optional<Framing> framing;  // nullopt: the whole body is one record
};
std::optional<BodyFormat> find_body_format(std::span<const RecordHeader> headers);

// Header names are compared without case.
bool is_header(std::string_view name, std::string_view wanted);
std::string_view find_header(std::span<const RecordHeader> headers, std::string_view wanted);

}  // namespace gauger::ingest
