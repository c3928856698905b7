// An invoice's lines as CSV: one heading, one row per line, amounts as decimals, exact amounts
// beside them. Both amount columns add up to the total. Pure text.
#pragma once

#include <string>

#include "billing/invoices/invoice.h"

namespace gauger::exporters {

std::string invoice_csv(const billing::Invoice& invoice);

// The invoice for a terminal: parties, lines as a table, total, what was decided.
std::string invoice_table(const billing::Invoice& invoice);

}  // namespace gauger::exporters
