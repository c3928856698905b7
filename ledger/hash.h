// The hashes of the ledger: XXH3 for tables, fingerprints and checksums (fast, not against
// forgery), SHA-256 for the chain of blocks and documents (against it).
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gauger::ledger {

inline uint64_t hash64(std::string_view bytes, uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

using Digest = std::array<uint8_t, 32>;

Digest sha256(std::string_view bytes);
// Of all parts, one behind the other.
Digest sha256(std::span<const std::string_view> parts);
std::string to_hex(const Digest& digest);

}  // namespace gauger::ledger
