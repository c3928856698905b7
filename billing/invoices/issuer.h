// The issuer of invoices: a legal entity with its time zone, its numbers' prefix and the parties it
// bills. A document of the ledger, in versions; what an invoice says of it is frozen on the
// invoice.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "billing/invoices/invoice.h"

namespace gauger::billing {

struct Issuer {
  Party party;
  TimeZone zone = TimeZone::utc();  // of its months
  std::string number_prefix;        // "LF-"; empty: "<id>-"
  std::string payment_terms;
  std::map<std::string, Party, std::less<>> bill_tos;  // by id

  // The party of a bill-to; its id alone where the document does not name it.
  Party bill_to(std::string_view id) const;
};

// kind: issuer, with id, version, name, address, tax_id, time_zone, number_prefix, payment_terms
// and bill_to: a list of {id, name, address, tax_id}.
Result<Issuer> parse_issuer(std::string_view text, std::string_view file);

}  // namespace gauger::billing
