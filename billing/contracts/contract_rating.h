// One contract, one month, the whole company: what the provider's bill should say before tax.
//
// The contract is rated once, over all teams, and its total is rounded once; the allocation
// (allocation_document.h) hands it down. Every part of the total is a charge of somebody: usage,
// idle capacity, discounts, the true-up of a commitment, prepaid credit that expired.
#pragma once

#include <map>
#include <span>

#include "billing/charge.h"
#include "billing/contracts/contract.h"
#include "billing/model_catalog.h"
#include "schemas/usage_table.h"

namespace gauger::billing {

// What the contract's months before left behind, in the contract's currency.
struct ContractHistory {
  std::map<Instant, Rational> committed_spend;  // pico-units, by begin of the commitment's term
  std::map<std::string, Int128> drawn_minor;    // per prepaid credit
};

// Price books by id, in the version to rate with.
using PriceBooks = std::map<std::string, PriceBook, std::less<>>;

struct ContractTerms {
  const Contract& contract;
  const PriceBooks& books;
  std::span<const CapacityRecords> capacity = {};
  const ModelCatalog* catalog = nullptr;
  ContractHistory history = {};
  // What was used beyond the provisioned capacity costs the average hour of it, instead of nothing
  // more: for usage that never was, when it would have had to be provisioned.
  bool overage_at_average = false;
  bool proposals = false;  // a difference may show what a proposed price book would change
};

struct PrepaidDraw {
  std::string credit;
  Int128 drawn_minor = 0;
  Int128 left_minor = 0;     // after this month; zero once it expired
  Int128 expired_minor = 0;  // charged this month as expired_credit
};

struct ContractMonth {
  std::string contract;
  std::string version;
  int32_t month = 0;
  Interval period;  // the month in UTC
  Rated rated;
  Rational total;                               // of all charges, pico-units
  Int128 total_minor = 0;                       // rounded once
  std::map<Instant, Rational> committed_spend;  // of this month
  std::vector<PrepaidDraw> prepaid;
  Int128 payable_minor = 0;  // total without what prepaid credit covers
};

// invalid_argument: a price book that is missing or in another currency, regimes or months off the
// usage's grain. Usage of other accounts is left out.
Result<ContractMonth> rate_contract(const UsageTable& usage, const ContractTerms& terms,
                                    int32_t month);

// Adds a month to what the next one finds.
void add(ContractHistory& history, const ContractMonth& month);
// The first month whose spend or draws the contract's month rests on; the month itself where none.
int32_t history_begins(const Contract& contract, int32_t month);

// Usage of the interval that no contract covers, as unpriced.
std::vector<Unpriced> uncontracted(const UsageTable& usage, std::span<const Contract> contracts,
                                   Interval interval);

}  // namespace gauger::billing
