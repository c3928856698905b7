#include "billing/rating_query.h"

#include <algorithm>

namespace gauger::billing {
namespace {

using ledger::Dimension;

bool begins_a_day(const TimeZone& zone, Instant at) {
  return at == begin_of_time || at == end_of_time || zone.day_begin(zone.local_day(at)) == at;
}

template <class Entry>
bool holds_whole_days(const TimeZone& zone, const Entry& entry) {
  return begins_a_day(zone, entry.from) && begins_a_day(zone, entry.until);
}

bool is_any(const Pattern& pattern) { return pattern.kind() == Pattern::Kind::any; }

}  // namespace

ledger::UsageQuery rating_query(std::span<const PriceBook> books, const ModelCatalog* catalog,
                                const TimeZone& zone, Interval interval) {
  ledger::UsageQuery query;
  query.interval = interval;
  query.bucket = ledger::Bucket::day;
  query.group = ledger::mask_of(Dimension::provider) | ledger::mask_of(Dimension::model) |
                ledger::mask_of(Dimension::service_tier) | ledger::mask_of(Dimension::context_tier);
  for (const auto& book : books)
    for (const auto& entry : book.entries) {
      if (!is_any(entry.region)) query.group |= ledger::mask_of(Dimension::region);
      if (!is_any(entry.accelerator)) query.group |= ledger::mask_of(Dimension::accelerator);
      if (entry.hours || !holds_whole_days(zone, entry)) query.bucket = ledger::Bucket::grain;
    }
  if (catalog != nullptr && !std::ranges::all_of(catalog->entries, [&](const auto& entry) {
        return holds_whole_days(zone, entry);
      }))
    query.bucket = ledger::Bucket::grain;
  return query;
}

}  // namespace gauger::billing
