// What surrounds a raw response: who called, when, under which identity. It comes from an
// envelope (a JSON object with the fields of usage_event.proto beside `response` or `stream`),
// from headers named gauger-<field>, and from the decoder's options, in this order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/attribution.h"
#include "ingest/decoder.h"
#include "ingest/formats.h"
#include "ingest/formats/event_memory.h"
#include "ingest/formats/json_dom.h"
#include "ingest/json_decoder.h"

namespace gauger::ingest {

struct Envelope {
  std::optional<dom::element> response;  // a whole response; null and absent are alike
  std::optional<dom::element> stream;    // its events: a list, or server-sent events as text
  std::string_view request_model;        // what was asked for
  std::vector<Evidence> evidence;
};

class EnvelopeReader {
 public:
  // True for an object that is an envelope and not a response of a provider.
  static bool is_envelope(dom::object object);

  // Fills the event and the envelope. A reason where a member cannot be meant.
  RejectReason read(dom::object object, UsageEvent& event, Envelope& envelope, EventMemory& memory);
  const std::string& detail() const { return detail_; }

 private:
  RejectReason refuse(RejectReason reason, std::string sentence);
  RejectReason read_member(std::string_view key, dom::element value, Envelope& envelope,
                           EventMemory& memory);
  void read_tags(dom::element value, Envelope& envelope, EventMemory& memory);

  JsonEventReader fields_;
  std::string fields_json_;
  std::string detail_;
};

// Fields that are still open, from headers gauger-<field>. The detail is a sentence.
RejectReason read_gauger_headers(std::span<const RecordHeader> headers, UsageEvent& event,
                                 std::string& detail);

// Fills what is still open from the options.
void apply_defaults(const DecoderOptions& options, UsageEvent& event);

// What travelled beside the record, as evidence named header.<name>.
void add_header_evidence(std::span<const RecordHeader> headers, EventMemory& memory,
                         std::vector<Evidence>& evidence);
// Headers, account and source as evidence.
void add_transport_evidence(std::span<const RecordHeader> headers, const UsageEvent& event,
                            EventMemory& memory, std::vector<Evidence>& evidence);

// "team:search" is the tag team with the value search; a bare word is its own value.
void add_tag(std::string_view tag, EventMemory& memory, std::vector<Evidence>& evidence);

}  // namespace gauger::ingest
