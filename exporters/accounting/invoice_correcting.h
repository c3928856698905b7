// What happens to a month that is invoiced already: what it costs more or less by now, and taking a
// document back. Nothing is written here; drafts are for whoever appends.
#pragma once

#include <optional>
#include <string>

#include "exporters/accounting/invoice_making.h"

namespace gauger::exporters {

struct Correction {
  billing::Seal seal;
  InvoiceTerms terms;
};

// The credit or debit note of the invoice's month: with `terms`, which is a re-rating, or with
// those that the month stands with. refused: nothing changed. invalid_argument: terms of another
// currency.
Result<Correction> correction_of(const InvoiceBooks& books, const billing::Invoice& invoice,
                                 std::optional<InvoiceTerms> terms, const std::string& reason);

// A credit note over the whole document. refused where it is void already, or is one itself.
Result<billing::Seal> void_of(const InvoiceBooks& books, const billing::Invoice& invoice,
                              const std::string& reason);

}  // namespace gauger::exporters
