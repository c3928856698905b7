// Charges: priced quantities, each naming the price version, the rule and the exact amount.
//
// Amounts are in pico-units of `Rated::currency` and exact. A Rated owns the keys and the
// dictionary that its charges speak of, so that it outlives the usage table it came from.
// What has no price is listed, never charged at zero. Values; no threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "billing/price_book.h"
#include "billing/rational.h"
#include "schemas/usage_table.h"

namespace gauger::billing {

// What a charge counts, as one number: a meter, the requests, or a counted extra.
struct Item {
  uint32_t value = 0;
  auto operator<=>(const Item&) const = default;
};
constexpr Item item_of(Meter meter) { return {static_cast<uint32_t>(meter)}; }
inline constexpr Item item_requests{meter_count};
constexpr Item item_of_extra(StringId name) {
  return {static_cast<uint32_t>(meter_count) + 1 + name.value};
}
constexpr std::optional<Meter> meter_of(Item item) {
  if (item.value >= meter_count) return std::nullopt;
  return static_cast<Meter>(item.value);
}

// usage: a priced quantity. idle: provisioned and not used. discount: below zero. true_up: what a
// minimum commitment leaves to pay. expired_credit: prepaid and never drawn.
enum class ChargeKind : uint8_t { usage, idle, discount, true_up, expired_credit };
inline constexpr std::array<std::string_view, 5> charge_kind_names = {"usage", "idle", "discount",
                                                                      "true_up", "expired_credit"};
constexpr std::string_view to_string(ChargeKind kind) {
  return charge_kind_names[static_cast<size_t>(kind)];
}

// What priced a charge.
struct Rule {
  std::string document;       // id of the price book or contract
  std::string version;        // of it
  int line = 0;               // in it
  std::string label;          // of the entry, for people
  std::string item;           // whose price it is: output_text for reasoning without its own
  int64_t context_above = 0;  // the boundary that the request's input lay above; 0: none
  Price price;
};

struct Charge {
  Instant from;       // begin of the month, day or period that it sums up
  uint32_t key = 0;   // index into Rated::keys
  uint32_t rule = 0;  // index into Rated::rules
  Item item;
  uint32_t model_tier = 0;  // index into Rated::model_tiers
  ChargeKind kind = ChargeKind::usage;
  int64_t quantity = 0;
  Rational amount;  // pico-units
};

enum class UnpricedReason : uint8_t {
  no_entry,         // no price entry matches provider, model, region and service tier at that time
  no_price,         // the entry that matches does not price this item
  no_contract,      // no contract covers the provider account at that time
  no_capacity,      // no capacity record provides the accelerator in that month
  no_compute_time,  // billed by compute time, and none was measured
};
std::string_view to_string(UnpricedReason reason);

struct Unpriced {
  Instant from;
  uint32_t key = 0;
  Item item;
  UnpricedReason reason = UnpricedReason::no_entry;
  int64_t quantity = 0;
};

// Usage whose counts were estimated or never came (the key says which). It is rated as it
// stands, and blocks the invoices it touches.
struct Uncertain {
  Instant from;
  uint32_t key = 0;
  int64_t requests = 0;
};

struct Rated {
  Currency currency;
  std::vector<std::string> strings;  // by StringId, as in the usage table
  std::vector<UsageKey> keys;
  std::vector<Rule> rules;
  std::vector<std::string> model_tiers;
  std::vector<Charge> charges;  // ordered by key, time and item
  std::vector<Unpriced> unpriced;
  std::vector<Uncertain> uncertain;
  uint64_t as_of_sequence = 0;

  std::string_view text(StringId id) const { return strings[id.value]; }
  const UsageKey& key(const Charge& charge) const { return keys[charge.key]; }
  std::string_view item_name(Item item) const;
  Rational total() const;
};

// Adds what was rated from the same usage table under other terms of the same currency. Keys
// that `rated` has besides come after the table's.
void append(Rated& rated, Rated more);

// "no price for 1200 output_text of anthropic claude-x (no price entry matches)".
std::string unpriced_sentence(const Rated& rated, const Unpriced& unpriced);

}  // namespace gauger::billing
