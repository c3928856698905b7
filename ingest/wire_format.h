// The protobuf wire format, as far as it is written usually; what these refuse may still be
// protobuf, and is for libprotobuf to judge. Private to the wire decoders.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "ingest/varint.h"
#include "ledger/bytes.h"

namespace gauger::ingest {

enum WireType : uint32_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

constexpr uint32_t tag_of(uint32_t number, WireType type) { return number << 3U | type; }

inline constexpr size_t wire_word_bytes = sizeof(uint64_t);

// The eight bytes from `at` on, with zeros behind the record's end. `at` lies before the end, and
// the record has eight bytes or more.
[[gnu::always_inline]] inline uint64_t word_at(const char* at, const char* record_end) {
  const auto* const last = record_end - wire_word_bytes;
  const auto* const from = at < last ? at : last;
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word >> (8 * static_cast<size_t>(at - from));
}

// Reads a varint of up to eight bytes that ends at `limit` or before it, and moves behind it. No
// branch asks how long it is: counts are of all lengths, and a wrong guess costs more than reading
// one. False: it is cut off or longer.
[[gnu::always_inline]] inline bool take_number(const char*& at, const char* limit,
                                               const char* record_end, uint64_t& value) {
  if (at == limit) return false;
  auto word = word_at(at, record_end);
  const auto last_bytes = ~word & 0x8080'8080'8080'8080U;
  if (last_bytes == 0) [[unlikely]]
    return false;
  const auto bits = static_cast<unsigned>(__builtin_ctzll(last_bytes));
  at += bits / 8 + 1;
  if (at > limit) [[unlikely]]
    return false;
  value = ledger::gather_sevens(word & ((uint64_t{1} << bits) - 1) & 0x7F7F'7F7F'7F7F'7F7FU);
  return true;
}

// A tag of one or two bytes, minimally written; larger field numbers are unusual.
[[gnu::always_inline]] inline bool take_tag(std::string_view& bytes, uint32_t& tag) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (first < 0x80) {
    tag = first;
    bytes.remove_prefix(1);
    return tag >= 8;  // field number 0 does not exist
  }
  if (bytes.size() < 2) return false;
  const auto second = static_cast<uint8_t>(bytes[1]);
  if (second == 0 || second >= 0x80) return false;
  tag = (first & 0x7FU) | uint32_t{second} << 7U;
  bytes.remove_prefix(2);
  return true;
}

[[gnu::always_inline]] inline bool take_bytes(std::string_view& bytes, std::string_view& out) {
  uint64_t size = 0;
  if (!take_varint(bytes, size) || size > bytes.size()) return false;
  out = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

inline bool skip_field(std::string_view& bytes, uint32_t tag) {
  uint64_t ignored = 0;
  std::string_view ignored_bytes;
  const auto skip_fixed = [&](size_t size) {
    if (bytes.size() < size) return false;
    bytes.remove_prefix(size);
    return true;
  };
  switch (tag & 7U) {
    case varint: return take_varint(bytes, ignored);
    case length_delimited: return take_bytes(bytes, ignored_bytes);
    case fixed64: return skip_fixed(8);
    case fixed32: return skip_fixed(4);
    default: return false;  // a group
  }
}

// Older libprotobuf prints every text that is not UTF-8; a flood of bad records must not.
void silence_libprotobuf();

}  // namespace gauger::ingest
