// A price book: dated prices of models, as one document (billing/README.md shows the YAML).
//
// Prices are whole pico-units of the currency per single unit, so that rating tokens is an
// integer multiplication; only prices per hour of compute leave a fraction. Intervals are
// half-open. Of the entries that match a request the most specific is in force, for all items:
// an item it does not price is unpriced, whatever a broader entry says. Values; no threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/currency.h"
#include "billing/pattern.h"
#include "billing/precedence.h"
#include "schemas/meter.h"
#include "schemas/usage_key.h"

namespace gauger::billing {

// What a quoted price is for. Hours apply to compute_us only.
enum class Per : uint8_t { unit, thousand, million, hour };
inline constexpr std::array<std::string_view, 4> per_names = {"unit", "thousand", "million",
                                                              "hour"};
constexpr std::string_view to_string(Per per) { return per_names[static_cast<size_t>(per)]; }
inline constexpr int64_t compute_us_per_hour = 3'600'000'000;
// Units that a quoted price is for.
constexpr int64_t units_of(Per per) {
  constexpr std::array<int64_t, 4> units = {1, 1'000, 1'000'000, compute_us_per_hour};
  return units[static_cast<size_t>(per)];
}

// pico-units of the currency per `units` units; `units` is 1 but for prices per hour.
struct UnitPrice {
  int64_t pico = 0;
  int64_t units = 1;
  auto operator<=>(const UnitPrice&) const = default;
};

// flat: every unit the same. graduated: each tier's units at its price. volume: all units at the
// price of the tier that the total reaches. package: begun packages. The last three count what
// this entry priced in one calendar month.
enum class Schedule : uint8_t { flat, graduated, volume, package };
inline constexpr std::array<std::string_view, 4> schedule_names = {"flat", "graduated", "volume",
                                                                   "package"};
constexpr std::string_view to_string(Schedule schedule) {
  return schedule_names[static_cast<size_t>(schedule)];
}

inline constexpr int64_t no_upper_end = std::numeric_limits<int64_t>::max();

struct PriceTier {
  int64_t up_to = no_upper_end;  // units, inclusive
  UnitPrice price;
  auto operator<=>(const PriceTier&) const = default;
};

struct Price {
  Schedule schedule = Schedule::flat;
  Per per = Per::million;
  UnitPrice unit;  // flat; package: of one package
  int64_t package_size = 1;
  std::vector<PriceTier> tiers;  // graduated, volume; ascending, the last without upper end
  auto operator<=>(const Price&) const = default;
};

// An item is what is priced: a meter by its name, `requests`, or a counted extra by its name.
inline constexpr std::string_view requests_item = "requests";
struct ItemPrice {
  std::string item;
  std::optional<Price> price;  // absent: `unpriced`, said in so many words
  auto operator<=>(const ItemPrice&) const = default;
};
using Prices = std::vector<ItemPrice>;

// The whole request at other prices where its total input lies strictly above the boundary.
struct ContextPrices {
  int64_t above;  // tokens
  Prices prices;  // complete: what the document leaves unchanged is filled in
  auto operator<=>(const ContextPrices&) const = default;
};

using ServiceTiers = uint8_t;  // bit per ServiceTier
constexpr ServiceTiers tiers_of(ServiceTier tier) {
  return static_cast<ServiceTiers>(1U << static_cast<unsigned>(tier));
}
inline constexpr ServiceTiers every_service_tier = (1U << service_tier_names.size()) - 1;

struct PriceEntry {
  int line = 0;
  std::string provider;
  std::vector<Pattern> models;
  Pattern region;
  Pattern accelerator;
  ServiceTiers service_tiers = tiers_of(ServiceTier::standard);
  Instant from = begin_of_time;
  Instant until = end_of_time;
  std::optional<DayWindow> hours;
  Prices prices;
  std::vector<ContextPrices> context_above;  // ascending

  // "anthropic claude-opus-4-6 from 2026-01-01", for people.
  std::string label() const;
};

// A proposal rates nothing: quotes may show it, invoices may not.
enum class BookStatus : uint8_t { accepted, proposed };

struct PriceBook {
  std::string file;  // where it was read from, for sentences
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  Currency currency;
  BookStatus status = BookStatus::accepted;
  std::string accepted_by;
  std::string accepted_because;
  std::vector<int64_t> context_boundaries;  // every boundary that an entry names, ascending
  std::vector<PriceEntry> entries;
};

// What decides a price, but for the time.
struct PriceKey {
  std::string_view provider;
  std::string_view model;
  std::string_view region;
  std::string_view accelerator;
  ServiceTier service_tier = ServiceTier::standard;
};

Result<PriceBook> parse_price_book(std::string_view text, std::string_view file);
Result<PriceBook> read_price_book(const Node& root, std::string_view file);
// The same reading, of prices that stand inside another document (a contract's). `provider` is
// that of entries which name none; empty: they must.
Result<std::vector<PriceEntry>> read_price_entries(std::string_view file,
                                                   std::span<const Node> list,
                                                   std::string_view provider);
// conflict where two entries of one scope begin at once, or are in force at one time.
Result<void> check_price_entries(std::string_view file, const std::vector<PriceEntry>& entries);
// Every boundary that an entry names, ascending.
std::vector<int64_t> boundaries_of(const std::vector<PriceEntry>& entries);

// Which entry is in force when; Slot::index counts PriceBook::entries.
std::vector<Segment> entries_in_force(const PriceBook& book, const PriceKey& key);
// The prices of a request with that much input: the entry's own, or those above a boundary.
const Prices& prices_for_input(const PriceEntry& entry, int64_t input_tokens);
// Meters, requests, then extras by name.
void sort_items(Prices& prices);
const ItemPrice* find_item(const Prices& prices, std::string_view item);

// The exact amount in pico-units of `quantity` units under a schedule. A quantity below zero
// (more was taken back than was used) is only possible with flat prices; VERIFYed.
Rational amount_of(const Price& price, Int128 quantity);

// Canonical YAML; parse_price_book() reads it back to an equal book.
std::string to_yaml(const PriceBook& book);

// "5 per million", "36 per hour", "graduated", for people.
std::string price_label(const Price& price);

}  // namespace gauger::billing
