// Making the seals of documents: an invoice of a month, a note that corrects earlier months, a
// credit note that voids. Pure: what is rated now and what was posted come in, a seal goes out;
// number and chain are given when it is written (seal.h, derive()).
#pragma once

#include "billing/invoices/booked.h"
#include "billing/invoices/settle.h"

namespace gauger::billing {

struct FinalizeInput {
  InvoiceHeader header;          // without blockers
  Settled current;               // the header's month
  std::vector<Settled> earlier;  // other months with a standing invoice, as they are rated now
  SealedUsage usage;
};

// refused: the month is invoiced already, or a blocker is open and `header.forced` is not set.
// Months whose correction is empty are left out.
Result<Seal> seal_invoice(FinalizeInput input, std::span<const Invoice> documents);

// A note that posts the corrections of `months` now, where no invoice follows: a credit note, or
// a debit note where they add up above zero. refused where there is nothing to correct, or a month
// has no standing invoice.
Result<Seal> seal_note(InvoiceHeader header, std::vector<Settled> months,
                       std::span<const Invoice> documents);

// A full credit note. refused where the document is void already, or is such a credit note.
Result<Seal> seal_void(const Invoice& voided, InvoiceHeader header,
                       std::span<const Invoice> documents);

// "blocked by" and each blocker with how to decide it, for people.
std::string blockers_text(std::span<const OpenBlocker> open, int32_t month);

}  // namespace gauger::billing
