// Re-rating: what the past would cost under other terms or with later usage, and the corrections
// that posting it takes. A difference posts nothing. Corrections are current - (sealed + already
// posted), line by line, so that doing it twice writes nothing more. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "billing/invoice_draft.h"

namespace gauger::billing {

// One line before and after. Lines are the same where team, project, model, service, kind and item
// are: the price version may differ, that is the point.
struct LineDifference {
  InvoiceLine line;  // identity, and the rule of the later side that has one
  int64_t quantity_before = 0;
  int64_t quantity_after = 0;
  Rational amount_before;  // exact, pico-units
  Rational amount_after;
  Int128 minor_before = 0;
  Int128 minor_after = 0;
};

// Lines that differ in quantity or amount, in the order of lines.
std::vector<LineDifference> diff_lines(std::span<const InvoiceLine> before,
                                       std::span<const InvoiceLine> after);

// Charges of any period as lines, without rounding; for differences of whole ratings.
std::vector<InvoiceLine> lines_of(const Rated& rated);

// The lines to post on a later invoice; `booked` holds the sealed lines and what was posted for
// them since. Quantities and amounts are differences.
std::vector<InvoiceLine> corrections(std::span<const InvoiceLine> booked,
                                     const InvoiceDraft& current);

std::string difference_table(std::span<const LineDifference> differences, const Currency& currency);
std::string difference_csv(std::span<const LineDifference> differences, const Currency& currency);
std::string difference_json(std::span<const LineDifference> differences, const Currency& currency);

}  // namespace gauger::billing
