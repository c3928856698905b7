// What the documents of an issuer say about a bill-to so far: which months are invoiced, and what
// was charged for each month in sum. Read from the documents alone; voiding and correcting are
// other documents, so nothing here is a state that could be lost. Values; no threads.
#pragma once

#include <map>
#include <span>

#include "billing/invoices/seal.h"

namespace gauger::billing {

// One bill-to's documents of one currency.
class Booked {
 public:
  // `documents` are an issuer's, in the order of their numbers; those of others are left out.
  Booked(std::span<const Invoice> documents, std::string_view bill_to, const Currency& currency);

  // The number of the month's invoice; none where there is none, or it is void.
  std::optional<int64_t> invoice_of(int32_t month) const;
  // Months with a standing invoice, ascending.
  std::vector<int32_t> invoiced_months() const;
  // Sums over all documents, voided ones and their credit notes included.
  BookedMonth month(int32_t month) const;
  // Months that anything was ever charged for, ascending.
  std::vector<int32_t> months() const;

 private:
  void add(const PostedLine& line);
  std::map<int32_t, std::vector<InvoiceLine>> lines_;
  std::map<int32_t, Int128> totals_;
  std::map<int32_t, int64_t> invoices_;
};

// The number of the document that voids the other; none where it stands.
std::optional<int64_t> voided_by(std::span<const Invoice> documents, int64_t number);

}  // namespace gauger::billing
