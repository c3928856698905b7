// The least usage that decides what price books charge in an interval: the dimensions that prices
// hang on, by whole days where no price and no model tier changes within one. Rated, its charges
// sum up to what the finest usage would be charged, and it has a hundredth of the rows.
//
//   auto query = rating_query(books, catalog, zone, interval);
//   query.group |= mask_of(Dimension::team);   // what else the charges are to be told apart by
//   const auto usage = reader.usage(query);
//   options.zone = zone;                       // days are the ledger's
#pragma once

#include <span>

#include "billing/model_catalog.h"
#include "billing/price_book.h"
#include "ledger/usage_query.h"
#include "schemas/time_zone.h"

namespace gauger::billing {

// `zone` is the ledger's. `catalog` may be null.
ledger::UsageQuery rating_query(std::span<const PriceBook> books, const ModelCatalog* catalog,
                                const TimeZone& zone, Interval interval);

}  // namespace gauger::billing
