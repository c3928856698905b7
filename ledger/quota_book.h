// The balances of all quotas: a projection of the journal, in memory. What was used comes from
// the fold, what is held from the reservations that live. Nothing else is counted anywhere.
//
// P12: `hold` is decided and taken under one lock, so that at every grant used + held <= limit
// for every hard quota. A hold ends in the same step in which the use that ends it is counted.
//
// `define`, `hold` and `change_hold` belong to the committing thread, `fold` to the folding one;
// `check` and `list` may be called from any.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>

#include "ledger/config.h"
#include "ledger/dictionary.h"
#include "ledger/fold.h"
#include "ledger/quota.h"
#include "ledger/reservation.h"
#include "schemas/usage_table.h"

namespace gauger::ledger {

// What quotas need to know that only terms say. Both may be empty: then no quota of a model tier
// applies to anything, and all usage is unpriced. Called from the committing and folding threads.
struct QuotaTerms {
  std::function<std::string(std::string_view name_space, std::string_view provider,
                            std::string_view model, Instant at)>
      tier_of;
  // Per row of the table; none where a row has no price.
  std::function<std::vector<std::optional<Int128>>(const UsageTable& usage,
                                                   std::string_view currency)>
      cost_of;
};

// What was moved between periods and overrun by settled reservations: not in the rollups.
struct QuotaSide {
  std::string name_space;
  std::string quota;
  uint32_t period = 0;
  Int128 moved = 0;
  Int128 overrun = 0;
};

// An empty table of a ledger with this configuration.
UsageTable table_of(const LedgerConfig& config);
// Appends a row with the texts that its key and its extras need.
void add_row(UsageTable& table, UsageKey key, const Dictionary& dictionary, Instant period,
             int64_t requests, const Counts& counts, std::span<const ExtraSum> extras);

class QuotaBook {
 public:
  // Both outlive the book.
  QuotaBook(const LedgerConfig& config, const Dictionary& dictionary)
      : config_(config), grain_(config.grain), dictionary_(dictionary) {}

  // From the earliest begin to the latest end of the quotas' windows at that time.
  static Interval span_of(std::span<const Quota> quotas, Instant now, std::chrono::minutes grain);

  // Replaces all quotas. `usage` is the rollups by grain over their span, `live` and `sides` what
  // the reservations say.
  void define(std::vector<Quota> quotas, QuotaTerms terms, const UsageTable& usage,
              std::span<const Reservation* const> live, std::span<const QuotaSide> sides,
              Instant now);
  bool empty() const;

  QuotaDecision check(const QuotaRequest& request, Instant now) const;
  // The same, and where it is allowed what it asks for is held: the holds are filled in.
  QuotaDecision hold(const QuotaRequest& request, Instant now, std::vector<Hold>& holds);
  // Holds more (or less, below zero) of what a reservation holds already.
  void change_hold(std::string_view name_space, const Hold& hold, Int128 difference);
  std::vector<QuotaAnswer> list(std::string_view name_space, Instant now) const;

  // What a block added to the rollups, and the reservations that its events ended.
  void fold(const Change& change, std::span<const ReservationRecord> records, uint64_t sequence);

 private:
  struct Balance {
    Int128 used = 0;
    Int128 held = 0;
    Int128 overrun = 0;
    int64_t unpriced = 0;  // requests
    void add_to(Balance& sum) const {
      sum.used = checked_add(sum.used, used);
      sum.held = checked_add(sum.held, held);
      sum.overrun = checked_add(sum.overrun, overrun);
      sum.unpriced += unpriced;
    }
  };
  struct Entry {
    Quota quota;
    // By the period at which they begin: whole windows of a calendar quota, single periods of a
    // rolling one. None before the window.
    std::map<uint32_t, Balance> buckets;
    Interval window{};  // goes forward only
    Balance sum;        // over the window
  };
  using EntryId = uint32_t;

  // Entries by the first filter of their scope, so that a check does not look at all of them.
  static std::string index_key(std::string_view name_space, const Filter* filter);
  void index_entries();
  std::vector<EntryId> applying(const QuotaRequest& request) const;
  std::vector<EntryId> applying(const UsageKey& key, std::span<const std::string_view> texts,
                                Instant at) const;
  const std::vector<EntryId>& of_key(uint32_t key, Instant at);

  void advance(Entry& entry, Instant now) const;
  void add(Entry& entry, uint32_t period, const Balance& balance) const;
  QuotaAnswer answer(Entry& entry, Instant now) const;
  QuotaAnswer judge(Entry& entry, const QuotaRequest& request, Instant now) const;
  QuotaDecision decide(const std::vector<EntryId>& entries, const QuotaRequest& request,
                       Instant now) const;
  void seed(const UsageTable& usage);
  void add_usage(const std::vector<std::pair<EntryId, uint32_t>>& costly, const UsageTable& usage);
  Entry* find(std::string_view name_space, std::string_view quota);

  const LedgerConfig& config_;
  const std::chrono::minutes grain_;
  const Dictionary& dictionary_;
  mutable std::mutex mutex_;
  QuotaTerms terms_;
  mutable std::vector<Entry> entries_;  // asking moves their windows on
  std::unordered_map<std::string, EntryId> by_name_;
  std::unordered_map<std::string, std::vector<EntryId>> by_filter_;
  std::unordered_map<uint32_t, std::vector<EntryId>> by_key_;  // of the dictionary's keys
  uint64_t folded_ = 0;
};

}  // namespace gauger::ledger
