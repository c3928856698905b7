// Variances: what differs between a provider's statement and our side, each with one class, the
// cells it was seen in, and its exact effect.
//
// Of a cell, the quantity effect is (their quantity - ours) x our price, the price effect all the
// rest; a rule takes parts of a cell's difference, and what all rules take adds up to it. So all
// variances add up to the difference of the totals, to the last digit. Amounts are in pico-units,
// positive where the statement is higher. Values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "billing/reconciliation/grain.h"

namespace gauger::billing {

// In the order of the rules, which is that of the evidence: what a rule has explained the ones
// after it do not see.
enum class VarianceClass : uint8_t {
  outside_coverage,      // not declared to be covered by the statement
  currency,              // stated in another currency, at another rate or at none we know
  cut_off,               // the same quantity on a neighbouring day
  tier,                  // the same quantity under another service or context tier
  cache_class,           // the same quantity under another class of input
  duplicate,             // stated more than once
  within_tolerance,      // too small to matter, as configured
  missing_in_ledger,     // stated, and none of ours
  missing_on_statement,  // ours, and not stated
  rate,                  // another price
  quantity,              // another quantity, and nothing explains it
  provider_only_fee,     // what the ledger does not meter: fees, credits, unknown services
  tax,
};
inline constexpr std::array<std::string_view, 13> variance_class_names = {"outside_coverage",
                                                                          "currency",
                                                                          "cut_off",
                                                                          "tier",
                                                                          "cache_class",
                                                                          "duplicate",
                                                                          "within_tolerance",
                                                                          "missing_in_ledger",
                                                                          "missing_on_statement",
                                                                          "rate",
                                                                          "quantity",
                                                                          "provider_only_fee",
                                                                          "tax"};
constexpr std::string_view to_string(VarianceClass variance_class) {
  return variance_class_names[static_cast<size_t>(variance_class)];
}

// A residual class says what differs, not why.
constexpr bool is_explained(VarianceClass variance_class) {
  return variance_class != VarianceClass::missing_in_ledger &&
         variance_class != VarianceClass::missing_on_statement &&
         variance_class != VarianceClass::quantity;
}

// What a variance takes of one cell.
struct VariancePart {
  uint32_t cell = 0;
  Rational quantity;  // theirs less ours
  Rational quantity_effect;
  Rational price_effect;
};

// What decided, for the sentence of evidence.
enum class Evidence : uint8_t {
  declared,  // the coverage, or the kind of the line
  other_currency,
  conserved,       // what one cell lacks another has
  repeated_line,   // figure: how often
  whole_multiple,  // figure: how many times our quantity
  tolerance,
  absent,          // one side has nothing
  unit_price,      // figure: theirs over ours
  constant_ratio,  // figure: theirs over ours, on several cells of amounts alone
  unpriced,        // we have no price
  not_metered,     // the ledger counts no such thing
  nothing_else,    // what is left
};

struct Variance {
  VarianceClass variance_class = VarianceClass::quantity;
  Evidence evidence = Evidence::nothing_else;
  uint32_t parts_begin = 0;  // into Matched::parts
  uint32_t parts_count = 0;
  Rational figure;
  Rational quantity_effect;
  Rational price_effect;

  Rational amount() const { return quantity_effect + price_effect; }
};

struct Matched {
  std::vector<Variance> variances;  // by class, then by size
  std::vector<VariancePart> parts;
  uint64_t matched_cells = 0;  // equal to the last digit

  std::span<const VariancePart> parts_of(const Variance& variance) const {
    return std::span(parts).subspan(variance.parts_begin, variance.parts_count);
  }
};

// Why the variance has its class: "1,200 output_text moved from 2026-08-03 to 2026-08-04".
std::string evidence_sentence(const Grain& grain, const Matched& matched, const Variance& variance);

}  // namespace gauger::billing
