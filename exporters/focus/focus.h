// Invoices as FOCUS 1.2 rows (FinOps Open Cost and Usage Specification), what the bill-to is
// charged: all 57 columns in the specification's order, then x_ columns of our own.
//
// A row of ChargeCategory Usage states quantity and unit price, and its costs are exactly their
// product; quantities have at most 12 decimals. What a line charges beside that (tiers, mark-up,
// fractions of an hour) is an Adjustment row beside it, and so are idle capacity, discounts,
// commitment shares and rounding. So costs are not rounded on rows, and BilledCost of an InvoiceId
// adds up to the invoice to the last digit. Corrections and credit notes have ChargeClass
// Correction and the charge period of the month that they correct.
//
// Pure text; the same invoice gives the same bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "billing/invoices/invoice.h"

namespace gauger::exporters {

// The columns in order, x_ columns included.
const std::vector<std::string_view>& focus_columns();

// CSV with a heading, RFC 4180, lines end in a line feed. invalid_argument: the invoice's time
// zone is not known here.
Result<std::string> focus_csv(std::span<const billing::Invoice> invoices);

}  // namespace gauger::exporters
