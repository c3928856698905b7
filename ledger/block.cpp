#include "ledger/block.h"

#include <algorithm>

#include "ledger/bytes.h"
#include "schemas/verify.h"

namespace gauger::ledger {

std::string encode(const BlockKey& key) {
  std::string bytes;
  put_key_u64(bytes, key.first_row);
  put_key_u64(bytes, key.sequence);
  return bytes;
}

Result<BlockKey> decode_block_key(std::string_view bytes) {
  ByteReader reader(bytes);
  BlockKey key{};
  key.first_row = reader.get_key_u64();
  key.sequence = reader.get_key_u64();
  if (!reader.complete()) return corruption("a journal key has a wrong length");
  return key;
}

const Segment& Block::segment_of(uint32_t record) const {
  const auto after = std::upper_bound(
      segments.begin(), segments.end(), record,
      [](uint32_t wanted, const Segment& segment) { return wanted < segment.first_record; });
  VERIFY(after != segments.begin(), "every record lies in a segment");
  return *std::prev(after);
}

std::optional<uint32_t> Block::event_of(uint32_t record) const {
  if (events.size() == dispositions.size()) return record;
  const auto found = std::lower_bound(events.row.begin(), events.row.end(), record);
  if (found == events.row.end() || *found != record) return std::nullopt;
  return static_cast<uint32_t>(found - events.row.begin());
}

}  // namespace gauger::ledger
