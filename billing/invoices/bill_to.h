// A month's usage rated and told apart by who is billed. The whole company is rated at once, since
// schedules count everybody's quantities; the bill-to is the one that the organisation names for
// the team at the time of the usage, frozen on the invoice. Pure.
#pragma once

#include <map>
#include <string>

#include "billing/chargeback/organisation.h"
#include "billing/invoices/settle.h"
#include "billing/model_catalog.h"
#include "billing/price_book.h"

namespace gauger::billing {

// Of usage without a team.
inline constexpr std::string_view unattributed_bill_to = "unattributed";

struct BillToMonth {
  RatedMonth month;
  Currency currency;
  std::vector<Blocker> blockers;  // of the usage; callers add what only the ledger knows
  SealedUsage usage;
};
using BillToMonths = std::map<std::string, BillToMonth, std::less<>>;

struct BookTerms {
  const PriceBook& book;
  const ModelCatalog* catalog = nullptr;
  const Organisation* organisation = nullptr;  // none: every team is its own bill-to
  TimeZone zone = TimeZone::utc();
};

std::string bill_to_at(const Organisation* organisation, std::string_view team, Instant at);

// The bill-tos with usage in the month. Usage whose counts were estimated and that a decision
// deferred is left out and blocks as `estimated`, so that settle() puts the decision on record.
Result<BillToMonths> rate_bill_tos(const UsageTable& usage, const BookTerms& terms, int32_t month,
                                   std::span<const Decision> decisions);

}  // namespace gauger::billing
