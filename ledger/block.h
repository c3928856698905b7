// One journal block: what one commit added to the ledger. Blocks are the truth; rollups,
// identities and balances are folded from them. Each names the SHA-256 of the block before it.
//
// On disk (little-endian), under key BlockKey in Family::journal. Never edited: a new layout is
// a new version, and old versions are read for ever.
//    0  magic "GJB1"      4  u16 version, u16 reserved
//    8  u64 sequence     16  u64 first row
//   24  i64 block time, microseconds
//   32  SHA-256 of the block before (zeros for the first)
//   64  u32 records      68  u32 events (accepted records)
//   72  u32 sections     76  u32 first new string, 80 u32 first new key, 84 u32 reserved
//   88  u64 XXH3 of everything but these 8 bytes
//   96  SHA-256 of the block's identity chunks (identity_chunk.h)
//  128  sections: {u16 id, u16 codec, u32 raw bytes, u32 stored bytes} each, then their bytes.
// Codecs: 0 as is, 1 zstd. Section contents are described in block_codec.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/columns.h"
#include "ledger/documents.h"
#include "ledger/hash.h"
#include "ledger/identity_chunk.h"
#include "ledger/reservation.h"
#include "ledger/section.h"
#include "schemas/instant.h"
#include "schemas/result.h"

namespace gauger::ledger {

// Blocks lie in the order of their rows, which is the order of their sequence. A row leads to
// its block by the last key that is not above (row, UINT64_MAX).
struct BlockKey {
  uint64_t first_row;
  uint64_t sequence;
  auto operator<=>(const BlockKey&) const = default;
};
std::string encode(const BlockKey& key);
Result<BlockKey> decode_block_key(std::string_view bytes);

// Consecutive records of one partition of one source.
struct Segment {
  StringId name_space;
  std::string source;  // "kafka:<cluster>/<topic>", "file:<name>"
  int32_t partition = 0;
  int64_t begin_offset = 0;   // the position before: where the segment before it ended
  int64_t end_offset = 0;     // the position after: the next offset to read
  uint32_t first_record = 0;  // within the block
  uint32_t records = 0;
  uint64_t gaps = 0;              // offsets in it that hold no record (control markers, compaction)
  uint64_t last_record_hash = 0;  // hash64 of the last record's bytes; tells a topic made anew
  // Everything that the log held at that time has been read with this segment.
  std::optional<Instant> complete_at = std::nullopt;
};

struct Block {
  uint64_t sequence = 0;
  uint64_t first_row = 0;
  Instant block_time{};
  Digest previous_hash{};
  std::vector<Segment> segments;
  Digest identities_hash{};               // of a decoded block
  std::vector<Disposition> dispositions;  // per record
  std::vector<uint32_t> offsets;          // per record: offset - segment.begin_offset
  EventColumns events;                    // of the accepted records
  std::vector<Adjustment> adjustments;
  std::vector<Document> documents;              // posted with this commit
  std::vector<ReservationRecord> reservations;  // granted, ended and used with it
  // The dictionary entries first seen here.
  uint32_t first_string = 0;
  std::vector<std::string_view> strings;  // of the dictionary, or of `strings_bytes`
  uint32_t first_key = 0;
  std::vector<UsageKey> keys;
  std::shared_ptr<const std::string> strings_bytes;  // holds the strings of a decoded block

  uint32_t records() const { return static_cast<uint32_t>(dispositions.size()); }
  const Segment& segment_of(uint32_t record) const;
  // The event of a record, or none where the record was not accepted.
  std::optional<uint32_t> event_of(uint32_t record) const;
};

// Which columns a reader needs; the rest stays undecoded.
enum class Columns : uint8_t {
  documents,  // nothing but the documents
  fold,       // segments, dispositions, keys, completion times, counts, extras,
              // adjustments, reservations
  all,
};

// The stored form. Deterministic: the same block gives the same bytes.
struct StoredBlock {
  std::string bytes;
  std::vector<IdentityChunkBytes> identities;
  // The block's sections of new dictionary entries, for the dictionary beside the journal.
  StoredSection strings;
  StoredSection keys;
};
StoredBlock encode(const Block& block);
// Checks magic, version, checksum and every length. corruption or newer_format, naming the
// sequence where it could be read. With `all`, too, what the chunks hold stays empty: sources, ids,
// content hashes and durations.
Result<Block> decode_block(std::string_view bytes, Columns columns = Columns::all);
// Fills that in, from all chunks of the block in order. corruption when they are not the block's.
Result<void> read_identities(std::span<const std::string> chunks, Block& block);

}  // namespace gauger::ledger
