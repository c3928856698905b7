// An invoice as a PDF that a finance department files: parties, period, terms, lines with their
// figures to the right, total, what was decided, and on every page the hash and the page number.
// Every figure can be extracted as text. The same invoice gives the same bytes.
#pragma once

#include <string>

#include "billing/invoices/invoice.h"

namespace gauger::exporters {

// io: the invoice has letters that need a font which is not installed.
Result<std::string> invoice_pdf(const billing::Invoice& invoice);

}  // namespace gauger::exporters
