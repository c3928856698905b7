// What a decoder answered, kept beyond the record: events as text, rejections with their parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "tests/fuzz/wire_reference.h"
#include "tests/guarded_bytes.h"

namespace gauger::ingest {

struct Rejection {
  RejectReason reason;
  std::string detail;
  std::string part;
};

class Collect final : public EventSink {
 public:
  void accept(const UsageEvent& event) override {
    events.push_back(describe(event));
    attribution_hashes.push_back(event.attribution_hash);
  }
  void reject(RejectReason reason, std::string_view detail, std::string_view part) override {
    rejections.push_back({reason, std::string(detail), std::string(part)});
  }

  std::vector<std::string> events;
  std::vector<uint64_t> attribution_hashes;
  std::vector<Rejection> rejections;
};

inline Collect decode_all(Decoder& decoder, std::string_view record,
                          std::span<const RecordHeader> headers = {}) {
  Collect collected;
  static GuardedBytes guarded;
  decoder.decode(guarded.hold(record), headers, collected);
  return collected;
}

}  // namespace gauger::ingest
