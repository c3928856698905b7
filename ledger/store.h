// Where the ledger's bytes lie. The ledger's core talks to this interface only, so that it
// runs over RocksDB (rocks_store.h) and in memory (memory_store.h) alike, and can be simulated.
//
// A write set is applied whole or not at all. After `write` it survives the death of the
// process; after `sync` it survives loss of power. Reads see every write. One thread writes;
// any thread reads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace gauger::ledger {

// Column families. The number is never reused; the name is the one on disk.
enum class Family : uint8_t {
  meta = 0,            // configuration, head, watermarks
  journal = 1,         // BlockKey -> block
  dictionary = 2,      // first id -> chunk of strings or keys
  positions = 3,       // source + partition -> position in it
  quarantine = 4,      // sequence + index -> record; hash -> first one
  amendments = 5,      // row -> what later events did to it; target fingerprint -> what waits
  rollups = 6,         // day + range -> packed cells; may lag behind, never runs ahead
  documents = 7,       // namespace, kind, id, version -> where the document lies
  identities = 8,      // first row -> identity chunk (identity_chunk.h)
  reservations = 9,    // reservations, and what they moved between quota periods
  identity_runs = 10,  // cold identities (identity_run.h); may lag behind, never runs ahead
};
inline constexpr size_t family_count = 11;

struct Write {
  Family family;
  std::string key;
  std::optional<std::string> value;  // none: delete
};

struct WriteSet {
  std::vector<Write> writes;
  void put(Family family, std::string key, std::string value) {
    writes.push_back({family, std::move(key), std::move(value)});
  }
  void remove(Family family, std::string key) {
    writes.push_back({family, std::move(key), std::nullopt});
  }
};

class Store {
 public:
  virtual ~Store() = default;

  virtual Result<void> write(const WriteSet& set) = 0;
  virtual Result<void> sync() = 0;
  // For projections, which the journal can always make anew: not logged, made durable, with all
  // unlogged writes to the same family before it, when the call returns. Touches one of
  // Family::rollups and Family::identity_runs only; these calls may come from any thread.
  virtual Result<void> write_projection(const WriteSet& set) = 0;
  // The same, durable or not.
  virtual Result<void> write_unlogged(const WriteSet& set) = 0;
  // Forgets from <= key < until, at some time.
  virtual Result<void> remove_range(Family family, std::string_view from,
                                    std::string_view until) = 0;
  // Forgets from <= key < until as far as that costs nothing: where whole files hold nothing else.
  // For what nobody will ask for, whether it is there or not.
  virtual Result<void> discard(Family family, std::string_view from, std::string_view until) = 0;

  virtual Result<std::optional<std::string>> get(Family family, std::string_view key) const = 0;
  // The entry with the largest key <= `key`.
  struct Entry {
    std::string key;
    std::string value;
  };
  virtual Result<std::optional<Entry>> at_or_before(Family family, std::string_view key) const = 0;
  // Entries of a family in the order of their keys, from where they are asked for. Sees what was in
  // the store when it was made. An entry's views live until the next question.
  struct EntryView {
    std::string_view key;
    std::string_view value;
  };
  class Seeker {
   public:
    virtual ~Seeker() = default;
    // The first entry with a key >= `key`; none where there is no such one.
    virtual Result<std::optional<EntryView>> at_or_after(std::string_view key) = 0;
    // The one behind the entry that was answered last.
    virtual Result<std::optional<EntryView>> next() = 0;
  };
  virtual std::unique_ptr<Seeker> seeker(Family family) const = 0;
  // Calls `visit` for every entry with from <= key < until (until empty: to the end), in order,
  // until it returns false.
  using Visit = std::function<Result<bool>(std::string_view key, std::string_view value)>;
  virtual Result<void> scan(Family family, std::string_view from, std::string_view until,
                            const Visit& visit) const = 0;
};

}  // namespace gauger::ledger
