// Contracts with providers: who is covered, and how it charges in which interval.
//
// A contract covers accounts of one provider and has consecutive regimes: by compute hours
// (metered, or by the capacity that was provisioned), or by tokens (a price book, discounts, a
// minimum commitment, prepaid credit). Its months are calendar months of its time zone.
// Documents are values; what cannot be meant is refused with file, line and sentence.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "billing/price_book.h"
#include "schemas/time_zone.h"

namespace gauger::billing {

// metered: the compute time of the requests is what is billed. capacity: what was provisioned
// is billed by capacity records; compute time is only the weight.
enum class ComputeBasis : uint8_t { metered, capacity };

struct ComputeHours {
  ComputeBasis basis = ComputeBasis::metered;
  std::vector<PriceEntry> prices;  // of compute_us, for the metered basis
};

struct Discount {
  int line = 0;
  Rational share;  // 0.1 for 10 percent
  Pattern model;
  std::vector<std::string> items;  // empty: all
  Rational above;                  // of the month's list amount of what it covers; pico-units
};

// At least `amount` is paid for usage in the term; what is missing is trued up at its end.
struct Commitment {
  int line = 0;
  Money amount;
  Interval term;
};

struct PrepaidCredit {
  int line = 0;
  std::string id;
  Money amount;
  Interval valid;
};

struct TokenTerms {
  std::string price_book;           // its id
  std::vector<Discount> discounts;  // each of the list amount; they add up
  std::optional<Commitment> commitment;
  std::vector<PrepaidCredit> prepaid;  // drawn by end of validity, then id
};

struct Regime {
  int line = 0;
  Interval interval;
  std::variant<ComputeHours, TokenTerms> terms;
};

struct Contract {
  std::string file;
  int line = 0;  // where it says what it covers
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  std::string provider;
  std::vector<std::string> accounts;  // empty: every account of the provider
  Currency currency;
  TimeZone zone = TimeZone::utc();
  Interval term;
  std::string idle_owner;  // team that pays for what nobody used; empty: unallocated
  std::vector<Regime> regimes;

  bool covers(std::string_view provider_name, std::string_view account) const;
};

Result<Contract> parse_contract(std::string_view text, std::string_view file);
Result<Contract> read_contract(const Node& root, std::string_view file);
// conflict where two contracts cover one account at one time.
Result<void> check_contracts(const std::vector<Contract>& contracts);

// What was provisioned, as the provider or the cluster recorded it.
struct CapacityRecord {
  int line = 0;
  Interval interval;
  std::string accelerator;
  int64_t units = 1;
  Money price_per_hour;  // of one unit
};

struct CapacityRecords {
  std::string file;
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  std::string contract;  // its id
  std::vector<CapacityRecord> records;
};

Result<CapacityRecords> parse_capacity_records(std::string_view text, std::string_view file);
Result<CapacityRecords> read_capacity_records(const Node& root, std::string_view file);

}  // namespace gauger::billing
