// A contract's month after its close: the allocation document, and the corrections that were
// posted for it since. Both are documents of the ledger under one name, in versions: first the
// allocation, then its corrections in order.
//
// Two things move a closed month. Late usage pays the closing average rate of its class and what
// that leaves of the true difference goes to `unallocated`: nobody else's line moves. Other terms
// (a version that was posted since and applies to the month) rate it anew: every line that changes
// is corrected, and the month is allocated as it is now from then on. A correction is always
// current - (sealed + already posted), so posting it twice posts nothing more.
//
// Invoices take `Correction::lines`: what each team pays more or less, in minor units, naming the
// month. Their sum, with the team "" as `unallocated`, is `amount_minor`. Pure values; no threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/contracts/allocation_document.h"
#include "billing/rerating.h"

namespace gauger::billing {

// The kind of document that both are kept under, and its id: "frontier-2027/2027-01".
inline constexpr std::string_view allocation_kind = "allocation";
std::string allocation_id(std::string_view contract, int32_t month);

enum class CorrectionReason : uint8_t { late_usage, other_terms };
inline constexpr std::array<std::string_view, 2> correction_reason_names = {"late_usage",
                                                                            "other_terms"};
constexpr std::string_view to_string(CorrectionReason reason) {
  return correction_reason_names[static_cast<size_t>(reason)];
}

struct Correction {
  std::string contract;
  int32_t month = 0;
  Currency currency;
  CorrectionReason reason = CorrectionReason::late_usage;
  std::vector<InvoiceLine> lines;
  Int128 amount_minor = 0;                       // of all lines
  std::vector<LateCharge> late;                  // of late usage
  std::optional<AllocationDocument> allocation;  // of other terms: the month from now on
  uint64_t as_of_sequence = 0;
};

struct ClosedMonth {
  AllocationDocument allocation;
  std::vector<LateCharge> posted;  // since that allocation

  // Everything that was charged for the month: sealed lines and posted ones.
  std::vector<InvoiceLine> booked() const;
  Int128 total_minor() const;
  void add(Correction correction);
};

// What to post so that the month stands as `now` rates it; none where nothing differs. `current`
// is the allocation of `now`. `under_sealed_terms` rates the usage of now with the terms that were
// known at the block `closed.allocation.as_of_sequence`: where both agree, what differs is late.
std::optional<Correction> correct(const ClosedMonth& closed,
                                  const ContractMonth& under_sealed_terms, const ContractMonth& now,
                                  AllocationDocument current);

std::string correction_json(const Correction& correction);
Result<Correction> parse_correction(std::string_view text, std::string_view file);

// From the contents of its document's versions, in order. corruption where the first is not an
// allocation, or a later one not a correction of it.
Result<ClosedMonth> read_closed_month(std::span<const std::string> contents, std::string_view id);

}  // namespace gauger::billing
