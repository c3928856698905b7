#include "ledger/quarantine.h"

#include "ledger/bytes.h"
#include "ledger/config.h"
#include "ledger/hash.h"

namespace gauger::ledger {

std::string quarantine_key(uint64_t sequence, uint32_t record) {
  std::string key = "R";
  put_key_u64(key, sequence);
  put_key_u32(key, record);
  return key;
}

std::string quarantine_hash_key(std::string_view name_space, std::string_view raw) {
  const auto hash = XXH3_128bits_withSeed(raw.data(), raw.size(), hash64(name_space));
  std::string key = "H";
  put_key_u64(key, hash.high64);
  put_key_u64(key, hash.low64);
  return key;
}

std::string encode(const QuarantinedRecord& record) {
  std::string bytes;
  put(bytes, disk_format);
  put(bytes, static_cast<uint8_t>(record.reason));
  put(bytes, to_us(record.block_time));
  put_text(bytes, record.name_space);
  put_text(bytes, record.source);
  put_varint(bytes, zigzag(record.partition));
  put_varint(bytes, zigzag(record.offset));
  put_text(bytes, record.detail);
  put_varint(bytes, record.record_bytes);
  put_text(bytes, record.raw);
  return bytes;
}

Result<QuarantinedRecord> decode_quarantined(std::string_view key, std::string_view value) {
  const auto damaged = [] { return corruption("a quarantine record is damaged"); };
  ByteReader key_reader(key);
  QuarantinedRecord record;
  if (key_reader.get<char>() != 'R') return damaged();
  record.sequence = key_reader.get_key_u64();
  record.record = key_reader.get_key_u32();
  ByteReader reader(value);
  if (reader.get<uint16_t>() > disk_format)
    return Error{ErrorCode::newer_format, "a quarantine record was written by a newer gauger"};
  const auto reason = reader.get<uint8_t>();
  if (reason >= reject_reason_names.size()) return damaged();
  record.reason = static_cast<RejectReason>(reason);
  record.block_time = instant_from_us(reader.get<int64_t>());
  record.name_space = std::string(reader.text());
  record.source = std::string(reader.text());
  record.partition = static_cast<int32_t>(reader.signed_varint());
  record.offset = reader.signed_varint();
  record.detail = std::string(reader.text());
  record.record_bytes = reader.varint();
  record.raw = std::string(reader.text());
  if (!key_reader.complete() || !reader.complete()) return damaged();
  return record;
}

Result<void> each_quarantined(const Store& store, uint64_t sequence_max, uint64_t from_sequence,
                              uint32_t from_record,
                              const std::function<bool(const QuarantinedRecord&)>& visit) {
  return store.scan(Family::quarantine, quarantine_key(from_sequence, from_record), "S",
                    [&](std::string_view key, std::string_view value) -> Result<bool> {
                      TRY(const auto record, decode_quarantined(key, value));
                      if (record.sequence > sequence_max) return false;
                      return visit(record);
                    });
}

Result<std::optional<QuarantinedRecord>> find_quarantined(const Store& store, uint64_t sequence_max,
                                                          uint64_t sequence, uint32_t record) {
  TRY(const auto value, store.get(Family::quarantine, quarantine_key(sequence, record)));
  if (!value || sequence > sequence_max) return std::optional<QuarantinedRecord>();
  TRY(auto found, decode_quarantined(quarantine_key(sequence, record), *value));
  return std::optional<QuarantinedRecord>(std::move(found));
}

}  // namespace gauger::ledger
