// What a ledger is made with: the grain of its fine rollups and its civil calendar (`gauger
// rebuild` changes these), its context boundaries, and the secret that keys its identity
// fingerprints (both for ever).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "schemas/limits.h"
#include "schemas/result.h"
#include "schemas/time_zone.h"

namespace gauger::ledger {

// The version of everything on disk. Newer ones are refused by name, older ones are read.
inline constexpr uint16_t disk_format = 1;

struct LedgerConfig {
  std::chrono::minutes grain{30};  // 15, 30 or 60
  std::string time_zone = "UTC";   // of the days and months
  // Tokens of total input; a request strictly above one lies in the next context tier. The
  // defaults are the cliffs of the providers' price lists (FORMATS: 128k, 200k, 256k, 272k).
  std::vector<int64_t> context_boundaries = {128'000, 200'000, 256'000, 272'000};
  uint64_t identity_key = 0;  // random, drawn when the ledger is made

  bool operator==(const LedgerConfig&) const = default;
};

// Refuses what cannot be kept, with a sentence.
Result<void> check(const LedgerConfig& config);

// Byte table: u16 format, u16 grain in minutes, u64 identity key, text zone, varint count of
// boundaries, varint each.
std::string encode(const LedgerConfig& config);
Result<LedgerConfig> decode_config(std::string_view bytes);

}  // namespace gauger::ledger
