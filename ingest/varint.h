// Base-128 varints as protobuf writes them, read within bounds.
#pragma once

#include <cstdint>
#include <string_view>

namespace gauger::ingest {

// Reads a varint of up to nine bytes (63 bits) and removes it; false leaves `bytes` as they were:
// it is cut off or longer.
[[gnu::always_inline]] inline bool take_varint(std::string_view& bytes, uint64_t& value) {
  if (!bytes.empty() && static_cast<uint8_t>(bytes[0]) < 0x80) {
    value = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    return true;
  }
  uint64_t result = 0;
  const auto size = bytes.size() < 9 ? bytes.size() : size_t{9};
  for (size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    result |= uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) {
      value = result;
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace gauger::ingest
