// An invoice draft: what one bill-to would pay for one calendar month, and what stands in the
// way. The total is rounded once; lines take its minor units by largest remainder, so that they
// add up to it. A draft has no number and changes with the usage; finalizing is the ledger's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "billing/charge.h"
#include "schemas/time_zone.h"

namespace gauger::billing {

struct InvoiceLine {
  std::string team;
  std::string project;
  std::string provider;
  std::string model;
  std::string model_tier;
  std::string region;
  ServiceTier service_tier = ServiceTier::standard;
  ContextTier context_tier = 0;
  ChargeKind kind = ChargeKind::usage;
  std::string item;  // the token class, or another meter
  int64_t quantity = 0;
  Rule rule;
  Rational amount;  // exact, pico-units
  Int128 amount_minor = 0;
};

// The line that a charge belongs to, without quantity and amounts.
InvoiceLine line_of(const Rated& rated, const Charge& charge);

enum class BlockerKind : uint8_t {
  unpriced,     // a quantity without a price
  estimated,    // usage whose counts nobody reported
  missing,      // requests without counts
  incomplete,   // the month is not complete yet
  quarantined,  // records that may belong to it
  conflicting,  // identities with two contents
  unallocated,  // a contract's month that is not closed yet
};
inline constexpr std::array<std::string_view, 7> blocker_kind_names = {
    "unpriced", "estimated", "missing", "incomplete", "quarantined", "conflicting", "unallocated"};
constexpr std::string_view to_string(BlockerKind kind) {
  return blocker_kind_names[static_cast<size_t>(kind)];
}

// Each must be decided, on record, before the invoice can be finalized.
struct Blocker {
  BlockerKind kind;
  std::string sentence;
  int64_t quantity = 0;
  // What it is about: who used what. The item is a contract or a reason where that says more.
  InvoiceLine subject = {};
};

// What a decision names: "unpriced:anthropic/claude-x/output_text". Blockers with the same id are
// decided together; it does not change with quantity, team or project.
std::string blocker_id(BlockerKind kind, const InvoiceLine& subject);

Blocker blocker_of(const Rated& rated, const Unpriced& unpriced);
Blocker blocker_of(const Rated& rated, const Uncertain& uncertain);

struct InvoiceDraft {
  std::string bill_to;
  int32_t month = 0;  // as TimeZone counts them
  std::string zone;
  Interval period;  // the month in UTC
  Currency currency;
  std::vector<InvoiceLine> lines;  // in a stable order
  Rational total;                  // exact, pico-units
  Int128 total_minor = 0;
  std::vector<Blocker> blockers;  // callers add what only the ledger knows
  uint64_t as_of_sequence = 0;
};

struct InvoiceRequest {
  std::string bill_to;
  std::vector<std::string> teams = {};  // whose usage it pays; empty: the team named bill_to
  int32_t month = 0;
  TimeZone zone = TimeZone::utc();
  // Set where the total was already rounded for the whole company and allocated.
  std::optional<Int128> total_minor = {};
};

// The month of the request, for RateOptions::within.
Interval month_of(const InvoiceRequest& request);

// From charges of any grouping; those outside the month or of other teams are left out.
InvoiceDraft draft_invoice(const Rated& rated, const InvoiceRequest& request);

// One draft per team with charges in the month, by name, in one pass over the charges. `totals`
// holds teams' minor units that were allocated from above; teams without one round their own.
std::vector<InvoiceDraft> draft_invoices(const Rated& rated, int32_t month, const TimeZone& zone,
                                         const std::map<std::string, Int128>& totals = {});

}  // namespace gauger::billing
