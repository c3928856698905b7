// The identities of up to 256 consecutive records of one journal block, under a key of their own,
// so that telling a duplicate reads some kilobytes and not the block. Part of the journal: written
// in the same write as the block, which holds the SHA-256 of its chunks.
//
// On disk (little-endian), under the first row (big-endian) in Family::identities. Never edited.
//    0  u64 first row     8  u16 records    10  u16 events (accepted records)   12  u32 zero
//   16  u64 XXH3 of everything but these 8 bytes
//   24  accepted          one bit per record; left out when all were accepted
//       namespaces        count of runs, then per run: namespace id, events (varints)
//       sources           count, each distinct string id (varints), then packed bits: which one
//       id lengths        packed bits: length of each id, 0 for a UUID
//       content hashes    u64 per event
//       completed         zigzag difference to the event before, microseconds (varints)
//       durations         duration + 1, 0 for none (varints)
//       uuids             16 bytes each
//       id texts          to the end
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/columns.h"
#include "schemas/result.h"

namespace gauger::ledger {

struct Block;

inline constexpr uint32_t identity_chunk_records = 256;

struct IdentityChunkBytes {
  uint64_t first_row;
  std::string bytes;
};

std::string identity_chunk_key(uint64_t first_row);

// Of all records of a block, in order.
std::vector<IdentityChunkBytes> encode_identities(const Block& block);

// A chunk that is read. Reused for chunk after chunk, it allocates nothing. Looks into the bytes it
// was read from. Figure: some 3 us to read one.
class IdentityChunk {
 public:
  static constexpr uint16_t not_accepted = UINT16_MAX;

  // corruption when the bytes are not a chunk.
  Result<void> read(std::string_view bytes);

  uint64_t first_row() const { return first_row_; }
  uint32_t records() const { return records_; }
  uint32_t events() const { return events_; }
  bool holds(uint64_t row) const { return row >= first_row_ && row - first_row_ < records_; }
  // Which event a record of it is; not_accepted when it is none.
  uint16_t event_of(uint64_t row) const { return event_of_record_[row - first_row_]; }

  StringId name_space(uint32_t event) const { return name_spaces_[event]; }
  StringId source(uint32_t event) const { return sources_[event]; }
  // Valid until the next call.
  std::string_view id(uint32_t event);
  uint64_t content_hash(uint32_t event) const { return content_hashes_[event]; }
  int64_t completed_us(uint32_t event) const { return completed_us_[event]; }
  int64_t duration_us(uint32_t event) const { return duration_us_[event]; }
  uint64_t row(uint32_t event) const { return first_row_ + record_of_event_[event]; }

 private:
  template <class T>
  using PerRecord = std::array<T, identity_chunk_records>;

  uint64_t first_row_ = 0;
  uint32_t records_ = 0;
  uint32_t events_ = 0;
  PerRecord<uint16_t> event_of_record_;
  PerRecord<uint16_t> record_of_event_;
  PerRecord<StringId> name_spaces_;
  PerRecord<StringId> sources_;
  PerRecord<std::string_view> stored_ids_;  // 16 bytes of a UUID, or the text
  PerRecord<bool> is_uuid_;
  PerRecord<uint64_t> content_hashes_;
  PerRecord<int64_t> completed_us_;
  PerRecord<int64_t> duration_us_;
  std::string unpacked_;
};

}  // namespace gauger::ledger
