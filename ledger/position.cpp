#include "ledger/position.h"

#include "ledger/block.h"
#include "ledger/bytes.h"
#include "ledger/config.h"

namespace gauger::ledger {

void move_position(Position& position, bool fresh, const Block& block, const Segment& segment) {
  if (fresh) {
    position.source = segment.source;
    position.partition = segment.partition;
    position.first_offset = segment.begin_offset;
  }
  position.next_offset = segment.end_offset;
  if (segment.records != 0) {
    const auto last = segment.first_record + segment.records - 1;
    position.last_record_offset = segment.begin_offset + block.offsets[last];
    position.last_record_hash = segment.last_record_hash;
  }
  position.records += segment.records;
  position.gaps += segment.gaps;
  if (segment.complete_at) position.complete_at = segment.complete_at;
  position.sequence = block.sequence;
}

std::string position_key(std::string_view source, int32_t partition) {
  std::string key(source);
  key.push_back('\0');
  put_key_u32(key, static_cast<uint32_t>(partition));
  return key;
}

std::string encode(const Position& position) {
  std::string bytes;
  put(bytes, disk_format);
  put_varint(bytes, zigzag(position.first_offset));
  put_varint(bytes, zigzag(position.next_offset));
  put_varint(bytes, zigzag(position.last_record_offset));
  put(bytes, position.last_record_hash);
  put(bytes, position.records);
  put(bytes, position.gaps);
  put(bytes, position.sequence);
  if (position.complete_at) put_varint(bytes, zigzag(to_us(*position.complete_at)));
  return bytes;
}

Result<Position> decode_position(std::string_view key, std::string_view value) {
  Position position;
  constexpr size_t tail = 1 + sizeof(uint32_t);
  ByteReader reader(value);
  if (reader.get<uint16_t>() > disk_format)
    return Error{ErrorCode::newer_format, "a source position was written by a newer gauger"};
  position.first_offset = reader.signed_varint();
  position.next_offset = reader.signed_varint();
  position.last_record_offset = reader.signed_varint();
  position.last_record_hash = reader.get<uint64_t>();
  position.records = reader.get<uint64_t>();
  position.gaps = reader.get<uint64_t>();
  position.sequence = reader.get<uint64_t>();
  if (!reader.at_end()) position.complete_at = instant_from_us(reader.signed_varint());
  if (key.size() < tail || !reader.complete()) return corruption("a source position is damaged");
  position.source = std::string(key.substr(0, key.size() - tail));
  position.partition =
      static_cast<int32_t>(ByteReader(key.substr(key.size() - sizeof(uint32_t))).get_key_u32());
  return position;
}

}  // namespace gauger::ledger
