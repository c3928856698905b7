// The evidence rules, in the order in which matching.cpp applies them. Each takes what it can
// explain and leaves the rest. Private to billing/reconciliation.
#pragma once

#include "billing/reconciliation/rules/open_differences.h"

namespace gauger::billing {

// Usage of ours, or lines of theirs, that lie outside of what the statement declares to cover.
void explain_outside_coverage(OpenDifferences& open);
// Lines that are fees, credits or taxes by their own word, and usage of a kind that the ledger has
// nothing of anywhere.
void explain_fees(OpenDifferences& open);
void explain_taxes(OpenDifferences& open);
// One line with the same reference twice: certain, whatever else differs in its cell.
void explain_repeated_references(OpenDifferences& open);
// Transfers that conserve the quantity to the last token.
void explain_cut_off(OpenDifferences& open);
void explain_tiers(OpenDifferences& open);
void explain_cache_classes(OpenDifferences& open);
// Transfers that share a cell with one another, or with a duplicate.
void explain_overlaps(OpenDifferences& open);
void explain_duplicates(OpenDifferences& open);
// Small amounts: before the transfers for amounts alone (rounding hides their quantities), and
// after them for the rest.
void explain_small_amounts(OpenDifferences& open, bool only_amounts_told);
void explain_missing(OpenDifferences& open);
void explain_currencies(OpenDifferences& open);
void explain_rates(OpenDifferences& open);
// Whatever quantity is left.
void name_quantities(OpenDifferences& open);

}  // namespace gauger::billing
