// From the bytes of one record to checked usage events. One decoder per format and thread; it
// owns the scratch memory that the events' views point into, until the next record.
//
// A decoder answers every record with events or rejections, never with silence, and never
// reads past the record. What it guarantees of an event stands in schemas/usage_event.h; the
// limits of schemas/limits.h on single fields are checked here too (text_bytes_max and so on),
// so that the ledger sees well-formed events only.
#pragma once

#include <string_view>

#include "schemas/reject_reason.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

// Where a decoder puts what it found in a record.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void accept(const UsageEvent& event) = 0;
  // `part` is the piece of the record that could not be read: the whole record, or one event of
  // a batch. `detail` is a sentence with the numbers, such as
  // "input_total is 120 but the parts add up to 100".
  virtual void reject(RejectReason reason, std::string_view detail, std::string_view part) = 0;
};

// What travels beside a record's bytes: Kafka headers, HTTP headers. Views into the transport.
struct RecordHeader {
  std::string_view name;
  std::string_view value;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void decode(std::string_view record, std::span<const RecordHeader> headers,
                      EventSink& sink) = 0;
};

}  // namespace gauger::ingest
