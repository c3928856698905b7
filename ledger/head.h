// Where a ledger stands after its last block: written with every commit, in the same write.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/columns.h"
#include "ledger/hash.h"
#include "schemas/instant.h"
#include "schemas/meter.h"
#include "schemas/result.h"

namespace gauger::ledger {

struct Head {
  uint64_t sequence = 0;  // of the last block; the first is 1
  uint64_t next_row = 0;
  Digest hash{};         // of the last block
  Instant block_time{};  // of the last block: the ledger's clock never goes back
  std::array<uint64_t, disposition_count> records{};  // by disposition, ever
  Counts totals{};       // per meter, of all accepted events; bounds every rollup cell
  uint32_t strings = 1;  // dictionary sizes
  uint32_t keys = 0;

  bool operator==(const Head&) const = default;
};

std::string encode(const Head& head);
Result<Head> decode_head(std::string_view bytes);

// Keys in Family::meta.
inline constexpr std::string_view head_key = "head";
inline constexpr std::string_view config_key = "config";

}  // namespace gauger::ledger
