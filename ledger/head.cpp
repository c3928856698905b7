#include "ledger/head.h"

#include <cstring>

#include "ledger/bytes.h"
#include "ledger/config.h"

namespace gauger::ledger {

// Byte table: u16 format, u64 sequence, u64 next row, 32 hash, i64 block time, 5 x u64 records,
// u32 strings, u32 keys, u16 meters, i64 total per meter, u64 XXH3 of all before.
std::string encode(const Head& head) {
  std::string bytes;
  put(bytes, disk_format);
  put(bytes, head.sequence);
  put(bytes, head.next_row);
  bytes.append(reinterpret_cast<const char*>(head.hash.data()), head.hash.size());
  put(bytes, to_us(head.block_time));
  for (const auto count : head.records) put(bytes, count);
  put(bytes, head.strings);
  put(bytes, head.keys);
  put(bytes, static_cast<uint16_t>(meter_count));
  for (const auto total : head.totals) put(bytes, total);
  put(bytes, hash64(bytes));
  return bytes;
}

Result<Head> decode_head(std::string_view bytes) {
  if (bytes.size() < sizeof(uint64_t) ||
      ByteReader(bytes.substr(bytes.size() - sizeof(uint64_t))).get<uint64_t>() !=
          hash64(bytes.substr(0, bytes.size() - sizeof(uint64_t))))
    return corruption("the ledger's head record is damaged");
  ByteReader reader(bytes.substr(0, bytes.size() - sizeof(uint64_t)));
  if (reader.get<uint16_t>() > disk_format)
    return Error{ErrorCode::newer_format, "the ledger's head was written by a newer gauger"};
  Head head;
  head.sequence = reader.get<uint64_t>();
  head.next_row = reader.get<uint64_t>();
  const auto hash = reader.take(head.hash.size());
  if (hash.size() == head.hash.size()) std::memcpy(head.hash.data(), hash.data(), hash.size());
  head.block_time = instant_from_us(reader.get<int64_t>());
  for (auto& count : head.records) count = reader.get<uint64_t>();
  head.strings = reader.get<uint32_t>();
  head.keys = reader.get<uint32_t>();
  const auto meters = reader.get<uint16_t>();
  for (size_t i = 0; i < meters && i < meter_count; ++i) head.totals[i] = reader.get<int64_t>();
  if (!reader.complete()) return corruption("the ledger's head record has a wrong length");
  return head;
}

}  // namespace gauger::ledger
