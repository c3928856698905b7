// Usage events as JSON, by protobuf's JSON mapping of schemas/usage_event.proto: one event, an
// array of events, or {"events": [...]}. Keys in snake_case or lowerCamelCase, counts as numbers
// or strings, enums by name or number, times as RFC 3339, null as absent.
//
// Stricter than libprotobuf 3.21, which this otherwise agrees with (tests/fuzz holds them
// against each other): the text must be JSON (no single quotes, bare keys, trailing commas or raw
// control characters); a key that the schema does not have is unknown_field; a key given twice is
// undecodable in every case; null is no count of an extra and no element of a list; a Timestamp
// is a string.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ingest/decoder.h"
#include "schemas/reject_reason.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

// Reads single events for formats that carry them inside something else. One per thread; an
// event's views are valid until the next read.
class JsonEventReader {
 public:
  JsonEventReader();
  ~JsonEventReader();

  // Reads one JSON object into the event without judging it: check() is the caller's. Fields
  // that the text does not name are left as they were.
  RejectReason read(std::string_view json, UsageEvent& event);
  // Why the last read failed, as a sentence.
  const std::string& detail() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Events of a batch stand or fall one by one; a record that is not JSON falls as a whole.
std::unique_ptr<Decoder> make_json_decoder();

}  // namespace gauger::ingest
