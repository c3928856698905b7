// Rating: usage and terms in, charges out. Pure, exact, no clock, no disk.
//
// Prices are looked up once per distinct combination of provider, model, region, accelerator,
// service tier and context tier, and never per row. A row's period must lie inside one price
// interval, one part of the day and one calendar day or month of the grouping: where a term
// changes inside a row the whole rating is refused, since the row cannot be split.
#pragma once

#include <span>

#include "billing/charge.h"
#include "billing/model_catalog.h"
#include "billing/price_book.h"
#include "schemas/time_zone.h"
#include "schemas/usage_table.h"

namespace gauger::billing {

// What one charge sums up.
enum class Grouping : uint8_t { month, day, period };

struct RateOptions {
  TimeZone zone = TimeZone::utc();  // of months and days, also those of price schedules
  Grouping grouping = Grouping::month;
  const ModelCatalog* catalog = nullptr;  // tiers are `unclassified` without one
  // Only usage of periods in the interval; its ends lie on the rows' grain.
  Interval within{begin_of_time, end_of_time};
  // One value per key of the table, zero: leave out. Empty: all.
  std::span<const uint8_t> keys = {};
  // A quote may show a proposal; nothing that is billed may rest on one.
  bool proposals = false;
};

// invalid_argument: a context boundary that the usage does not keep, a change inside a row's
// period, a proposal. conflict: two entries match equally well. overflow: quantities.
Result<Rated> rate(const UsageTable& usage, const PriceBook& book, const RateOptions& options = {});

}  // namespace gauger::billing
