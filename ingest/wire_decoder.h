// Usage events as protobuf (schemas/usage_event.proto), read straight into views of the record:
// no copy, no allocation, every field checked. Whatever a producer may write but hardly does
// (groups, over-long varints, a message given in pieces, unusual map entries) goes through the
// generated class instead, so that every record means exactly what libprotobuf says it means.
//
// A WireScratch belongs to one thread. An event's views point into the record's bytes and into
// the scratch; they are valid as long as the former and until the latter's clear().
#pragma once

#include <array>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>

#include "ingest/decoder.h"
#include "schemas/limits.h"
#include "schemas/reject_reason.h"
#include "schemas/usage_event.h"

namespace gauger::v1 {
class UsageEvent;
}

namespace gauger::ingest {

class WireScratch {
 public:
  WireScratch();
  ~WireScratch();
  WireScratch(const WireScratch&) = delete;
  WireScratch& operator=(const WireScratch&) = delete;

  // Ends the life of everything that events got from this scratch (extras, and texts of
  // unusually encoded events). Call it once per batch, or memory grows.
  void clear();

  // Why the last event was rejected; empty otherwise.
  std::string detail;

 private:
  friend class WireReader;

  std::array<std::byte, 4096> first_bytes_;
  std::pmr::monotonic_buffer_resource memory_;
  bool memory_used_ = false;
  std::array<ExtraCount, limits::extras_max> extras_;
  std::unique_ptr<v1::UsageEvent> message_;  // made when first needed
};

// Reads and checks one event. The event is overwritten; on a rejection its contents mean
// nothing, and scratch.detail is a sentence.
RejectReason decode_wire(std::string_view bytes, UsageEvent& event, WireScratch& scratch);

// The same without check(), for a format that adds to the event what its bytes do not say.
RejectReason read_wire(std::string_view bytes, UsageEvent& event, WireScratch& scratch);

// How events lie in one record.
enum class WirePacking : uint8_t {
  single,     // one UsageEvent
  batch,      // one UsageEventBatch
  delimited,  // UsageEvents, each after its length as a varint (writeDelimitedTo)
};

// Events of a batch stand or fall one by one; a batch whose framing is broken falls as a whole.
std::unique_ptr<Decoder> make_wire_decoder(WirePacking packing);

}  // namespace gauger::ingest
