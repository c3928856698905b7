// The checksum of RocksDB's log, by the processor's instruction (rocks_crc32c.cpp says why).
#pragma once

namespace gauger::ledger {

// Whether the function that RocksDB calls gives the values it has to. Asked before a store is
// opened, which also has it linked.
bool knows_crc32c();

}  // namespace gauger::ledger
