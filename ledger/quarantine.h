// Records that were not counted, with their reason and their bytes, for somebody to look at.
// Kept once per content: a redelivery of the same bad bytes is not listed again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/store.h"
#include "schemas/instant.h"
#include "schemas/reject_reason.h"

namespace gauger::ledger {

// Byte table of the value: u16 format, u8 reason, i64 block time, text namespace, text source,
// zigzag partition, zigzag offset, text detail, varint size of the whole record, text kept bytes.
struct QuarantinedRecord {
  uint64_t sequence = 0;  // the block it came with
  uint32_t record = 0;    // its ordinal there
  RejectReason reason = RejectReason::none;
  Instant block_time{};
  std::string name_space;
  std::string source;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string detail;
  uint64_t record_bytes = 0;  // of the record; `raw` keeps the first 64 KiB
  std::string raw;

  std::string id() const { return std::to_string(sequence) + "-" + std::to_string(record); }
};

// 'R' + sequence + record: the record itself.  'H' + 128-bit hash of namespace and bytes: the
// key of the record that was kept for them.
std::string quarantine_key(uint64_t sequence, uint32_t record);
std::string quarantine_hash_key(std::string_view name_space, std::string_view raw);

// Of a store, up to that block: oldest first from (sequence, record) on, until `visit` returns
// false.
Result<void> each_quarantined(const Store& store, uint64_t sequence_max, uint64_t from_sequence,
                              uint32_t from_record,
                              const std::function<bool(const QuarantinedRecord&)>& visit);
Result<std::optional<QuarantinedRecord>> find_quarantined(const Store& store, uint64_t sequence_max,
                                                          uint64_t sequence, uint32_t record);

std::string encode(const QuarantinedRecord& record);
Result<QuarantinedRecord> decode_quarantined(std::string_view key, std::string_view value);

}  // namespace gauger::ledger
