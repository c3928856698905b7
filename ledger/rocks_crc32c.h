// The checksum of RocksDB's log, by the processor's instruction (rocks_crc32c.cpp says why).
#pragma once

#include <cstdint>
#include <string_view>

namespace gauger::ledger {

// CRC32C (RFC 3720, appendix B.4) of what has the checksum `crc` (of nothing: 0) and of `bytes`
// behind it.
uint32_t extend_crc32c(uint32_t crc, std::string_view bytes);

// Whether the function that RocksDB calls gives the values it has to. Asked before a store is
// opened, which also has it linked.
bool knows_crc32c();

}  // namespace gauger::ledger
