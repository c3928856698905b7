// Usage as values: what the ledger answers and what billing rates. Rows are rollup cells of
// the fine grain (or of a day or month), with the dictionary that their keys need. Owns all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/instant.h"
#include "schemas/meter.h"
#include "schemas/usage_key.h"

namespace gauger {

// A counted extra of a row: a name that is not one of the meters.
struct ExtraSum {
  StringId name;
  int64_t count;
};

struct UsageRow {
  Instant period;             // begin of the period, UTC
  uint32_t key = 0;           // index into UsageTable::keys
  uint32_t extras_begin = 0;  // into UsageTable::extras
  uint32_t extras_count = 0;
  int64_t requests = 0;  // events; retractions have taken theirs back
  Counts counts{};
};

struct UsageTable {
  std::vector<std::string> strings{std::string()};  // by StringId; 0 is empty
  std::vector<UsageKey> keys;
  std::vector<UsageRow> rows;
  std::vector<ExtraSum> extras;
  // The ledger's context boundaries in tokens, ascending. A key's context_tier is the number of
  // them that the request's total input lies strictly above.
  std::vector<int64_t> context_boundaries;
  std::chrono::minutes grain{30};
  uint64_t as_of_sequence = 0;  // the journal block up to which this is complete

  std::string_view text(StringId id) const { return strings[id.value]; }
  const UsageKey& key(const UsageRow& row) const { return keys[row.key]; }
};

}  // namespace gauger
