// The sections of a block: named byte strings, compressed one by one where it pays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace gauger::ledger {

// Stored by number; never reused.
enum class SectionId : uint16_t {
  segments = 1,
  strings = 2,
  keys = 3,
  dispositions = 4,
  offsets = 5,
  kinds = 6,
  event_keys = 7,
  completed = 8,
  present = 10,
  counts = 11,
  agent_sessions = 17,
  provider_request_ids = 18,
  parent_ids = 19,
  reservation_ids = 20,
  targets = 21,
  extras = 22,
  adjustments = 23,
  documents = 24,
  completeness = 25,
  reservations = 26,
};

enum class Compress : uint8_t { no, yes };

// Codecs: 0 as is, 1 zstd.
struct StoredSection {
  uint16_t codec = 0;
  uint32_t raw_bytes = 0;
  std::string bytes;
};
StoredSection store_section(std::string_view bytes, Compress compress);

class SectionWriter {
 public:
  // An empty section is left out.
  void add(SectionId id, const StoredSection& section);
  void add(SectionId id, std::string_view bytes, Compress compress) {
    add(id, store_section(bytes, compress));
  }
  uint32_t count() const { return count_; }
  // The table, then the contents.
  void append_to(std::string& out) const;

 private:
  std::string table_;
  std::string contents_;
  uint32_t count_ = 0;
};

class SectionReader {
 public:
  static Result<SectionReader> open(std::string_view bytes, uint32_t count);
  // The decompressed section; empty where the block has none. The view lives as long as the
  // reader and the block's bytes.
  Result<std::string_view> get(SectionId id);

 private:
  struct Entry {
    SectionId id;
    uint16_t codec;
    uint32_t raw_bytes;
    std::string_view stored;
  };
  std::vector<Entry> entries_;
  std::vector<std::string> decompressed_;
};

}  // namespace gauger::ledger
