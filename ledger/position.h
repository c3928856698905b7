// How far each partition of each source has been read: written in the same commit as what was
// read. The ledger owns the positions; a Kafka group's commit is only advice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/instant.h"
#include "schemas/result.h"

namespace gauger::ledger {

// Byte table of the value: u16 format, zigzag first offset, zigzag next offset, zigzag last record
// offset, u64 last record hash, u64 records, u64 gaps, u64 sequence, and where it was ever
// complete: zigzag complete at, in microseconds.
struct Position {
  std::string source;
  int32_t partition = 0;
  int64_t first_offset = 0;         // where the ledger began to read
  int64_t next_offset = 0;          // the first one it has not read
  int64_t last_record_offset = -1;  // -1: no record yet
  uint64_t last_record_hash = 0;    // hash64 of its bytes
  uint64_t records = 0;
  uint64_t gaps = 0;      // offsets that held no record
  uint64_t sequence = 0;  // the block that moved it last
  // The last time for which everything that the partition then held has been read.
  std::optional<Instant> complete_at = std::nullopt;
};

// Only a log can be read on from a position. A file is read anew from its beginning, and what
// the ledger holds of it already is told apart by its identities.
inline bool keeps_position(std::string_view source) { return source.starts_with("kafka:"); }

struct Block;
struct Segment;
// What a segment of a block does to the position of its partition; `fresh`: its first.
void move_position(Position& position, bool fresh, const Block& block, const Segment& segment);

std::string position_key(std::string_view source, int32_t partition);
std::string encode(const Position& position);
Result<Position> decode_position(std::string_view key, std::string_view value);

}  // namespace gauger::ledger
