// What the ledger stores of one Kafka partition, in the commit that holds its records.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ledger/position.h"

namespace gauger::ingest {

struct KafkaPosition {
  int32_t partition = 0;
  int64_t next_offset = 0;  // everything below was taken in, or held no record
  // The last record taken in: its offset, -1 while there was none, and ledger::hash64 of its
  // value.
  int64_t record_offset = -1;
  uint64_t record_hash = 0;
};

// From all positions that the ledger holds of the topic.
inline std::vector<KafkaPosition> kafka_positions(std::span<const ledger::Position> stored) {
  std::vector<KafkaPosition> positions;
  for (const auto& position : stored)
    positions.push_back({position.partition, position.next_offset, position.last_record_offset,
                         position.last_record_hash});
  return positions;
}

}  // namespace gauger::ingest
