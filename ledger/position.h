// How far each partition of each source has been read: written in the same commit as what was
// read. The ledger owns the positions; a Kafka group's commit is only advice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schemas/result.h"

namespace gauger::ledger {

// Byte table of the value: u16 format, zigzag first offset, zigzag next offset, u64 last record
// hash, u64 records, u64 gaps, u64 sequence.
struct Position {
  std::string source;
  int32_t partition = 0;
  int64_t first_offset = 0;  // where the ledger began to read
  int64_t next_offset = 0;   // the first one it has not read
  uint64_t last_record_hash = 0;  // of the record before next_offset
  uint64_t records = 0;
  uint64_t gaps = 0;         // offsets that held no record
  uint64_t sequence = 0;     // the block that moved it last
};

std::string position_key(std::string_view source, int32_t partition);
std::string encode(const Position& position);
Result<Position> decode_position(std::string_view key, std::string_view value);

}  // namespace gauger::ledger
