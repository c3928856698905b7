// What a decoder answered, kept beyond the record: events as text, rejections with their parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "tests/fuzz/wire_reference.h"

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
  // A buffer of exactly the record's size, so that a read beyond it is seen by a sanitizer.
  const std::vector<char> exact(record.begin(), record.end());
  decoder.decode({exact.data(), exact.size()}, headers, collected);
  return collected;
}

}  // namespace gauger::ingest
