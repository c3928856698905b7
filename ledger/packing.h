// How single columns are packed: bits of one width, and identities that are UUIDs as 16 bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/bytes.h"

namespace gauger::ledger {

// u8 width in bits (of the largest value), then the values, least significant bit first.
void pack_bits(std::string& out, std::span<const uint32_t> values);
// Exactly `count` values; none when the bytes do not fit them.
std::optional<std::vector<uint32_t>> unpack_bits(std::string_view bytes, size_t count);

// The same out of a reader; false when the bytes do not hold that many.
bool take_bits(ByteReader& reader, std::span<uint32_t> values);

// Writes the 16 bytes of a canonical lower-case UUID ("8-4-4-4-12"); false for any other text.
bool pack_uuid(char* out, std::string_view text);
// 16 bytes to 36 characters.
void unpack_uuid(std::string& out, std::string_view bytes);

}  // namespace gauger::ledger
