// The allocation document: one contract's month handed down to teams and lines in minor units.
// It closes the month. Team amounts, with that of the unnamed team (`unallocated`), add up to the
// provider's bill before tax. Usage that comes after the close pays the closing average rate of
// its class; what that leaves of the true difference goes to `unallocated`, so that nobody's
// closed invoice moves because of somebody else's late event.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <vector>

#include "billing/contracts/contract_rating.h"
#include "billing/invoice_draft.h"
#include "billing/terms_reference.h"

namespace gauger::billing {

inline constexpr std::string_view unallocated = "unallocated";

// What usage is told apart by once it is priced.
struct UsageClass {
  std::string provider;
  std::string model;
  std::string region;
  std::string accelerator;
  ServiceTier service_tier = ServiceTier::standard;
  ContextTier context_tier = 0;
  std::string item;
  auto operator<=>(const UsageClass&) const = default;
};

struct TeamQuantity {
  std::string team;  // empty: unallocated
  UsageClass usage_class;
  int64_t quantity = 0;
};

// Everything the class cost (discounts, idle and true-up included) over what was used of it.
struct ClosingRate {
  UsageClass usage_class;
  int64_t quantity = 0;
  Rational amount;  // pico-units
};

struct AllocationDocument {
  std::string contract;
  std::string version;
  int32_t month = 0;
  Interval period;  // the month in UTC
  Currency currency;
  Rational total;
  Int128 total_minor = 0;
  std::vector<PrepaidDraw> prepaid;
  Int128 payable_minor = 0;              // total without what prepaid credit covers
  std::vector<TermsReference> terms;     // set by callers, who know the documents
  std::vector<InvoiceDraft> teams;       // by name; lines add up to each, they to the total
  std::vector<TeamQuantity> quantities;  // by team and class
  std::vector<ClosingRate> rates;        // by class
  uint64_t as_of_sequence = 0;
};

AllocationDocument allocate_month(const ContractMonth& month, const TimeZone& zone);

// A correction of a closed month, posted on a later invoice.
struct LateCharge {
  std::string team;        // empty: unallocated
  UsageClass usage_class;  // its item is empty on the residue
  int64_t quantity = 0;
  Int128 amount_minor = 0;
};

// What the month as it is now rated adds to the closed one and what was already posted. Doing it
// again with its own result posted adds nothing.
std::vector<LateCharge> late_charges(const AllocationDocument& closed,
                                     std::span<const LateCharge> posted, const ContractMonth& now);

// What every team pays, line by line.
std::vector<InvoiceLine> lines_of(const AllocationDocument& allocation);
// The lines that late charges make on the invoices of their teams.
std::vector<InvoiceLine> lines_of(const AllocationDocument& closed,
                                  std::span<const LateCharge> late);

// For people: the teams and the total.
std::string allocation_table(const AllocationDocument& allocation);
// The document as canonical JSON, whole: parse_allocation() reads it back to an equal one.
std::string allocation_json(const AllocationDocument& allocation);
Result<AllocationDocument> parse_allocation(std::string_view text, std::string_view file);

}  // namespace gauger::billing
