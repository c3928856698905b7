// Reads single events back out of the journal, as they count now: what was retracted is left out,
// and what a later outcome moved stands under its present key. For questions that no sum answers:
// which events a figure is made of, pairs of a request and its benchmark, the context tier of a
// request under another tokenizer.
//
// Reads every block that can hold events of the interval, and their adjustments to the end: some
// 100 ns per event where identities are asked for. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "ledger/dictionary.h"
#include "ledger/head.h"
#include "ledger/store.h"
#include "schemas/instant.h"
#include "schemas/meter.h"
#include "schemas/usage_key.h"
#include "schemas/usage_table.h"

namespace gauger::ledger {

// Views live until the visitor returns. Ids of names are the ledger's: Reader::text().
struct EventRow {
  uint64_t row;    // its ordinal in the journal
  uint64_t block;  // its sequence
  Instant completed_at;
  uint32_t key_id;  // of the ledger's keys
  const UsageKey* key;
  Counts counts;
  std::span<const ExtraSum> extras;
  // Empty unless identities were asked for.
  StringId source;
  std::string_view id;
  std::string_view parent_id;
};

struct EventQuery {
  Interval interval;  // of completion
  // Whether events under this key are visited; asked once per key.
  std::function<bool(const UsageKey&)> wanted;
  bool identities = false;
  uint64_t as_of_sequence = UINT64_MAX;  // as they counted after that block
};

// In journal order, until `visit` returns false.
Result<void> walk_events(const Store& store, const Dictionary& dictionary, const Head& head,
                         const EventQuery& query,
                         const std::function<Result<bool>(const EventRow&)>& visit);

}  // namespace gauger::ledger
