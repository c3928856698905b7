#include "ledger/summary.h"

#include <algorithm>

#include "schemas/verify.h"

namespace gauger::ledger {

Change sum_days(const Change& fine, std::chrono::minutes grain, const TimeZone& zone,
                const Dictionary& dictionary) {
  constexpr uint32_t unknown = UINT32_MAX;
  KeyDictionary kinds;
  std::vector<uint32_t> first_keys;
  std::vector<uint32_t> kind_of_key(dictionary.keys.size(), unknown);
  uint32_t period = unknown;
  uint32_t day = 0;
  // The place of a fine cell's day: the same for all keys of one kind.
  const auto day_place = [&](Place place) {
    auto& kind = kind_of_key[key_of(place)];
    if (kind == unknown) {
      const auto reduced = reduce(dictionary.keys.key(key_of(place)), summary_dimensions);
      const auto id = kinds.intern(reduced, KeyDictionary::hash(reduced));
      VERIFY(id, "there are fewer kinds than keys");
      kind = *id;
      if (kind == first_keys.size()) first_keys.push_back(key_of(place));
    }
    if (period_of(place) != period) {
      period = period_of(place);
      day = static_cast<uint32_t>(zone.local_day(period_begin(period, grain)));
    }
    return place_of(day, first_keys[kind]);
  };
  Change days{fine.first_sequence, fine.last_sequence, {}, {}};
  FlatMap index;
  for (const auto& cell : fine.cells) {
    const auto place = day_place(cell.place);
    const auto [at, fresh] = index.find_or_insert(place, static_cast<uint32_t>(days.cells.size()));
    if (fresh) days.cells.push_back({place, 0, {}});
    auto& sum = days.cells[at];
    sum.requests += cell.requests;
    for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += cell.counts[i];
  }
  for (const auto& extra : fine.extras)
    days.extras.push_back({day_place(extra.place), extra.name, extra.count});
  const Change* one[] = {&days};
  return merge(one);
}

uint32_t Summary::kind_of(uint32_t key) {
  constexpr uint32_t unknown = UINT32_MAX;
  if (key >= kind_of_key_.size())
    kind_of_key_.resize(std::max<size_t>(key + 1, dictionary_.keys.size()), unknown);
  auto& kind = kind_of_key_[key];
  if (kind != unknown) return kind;
  const auto reduced = reduce(dictionary_.keys.key(key), summary_dimensions);
  const auto id = kinds_.intern(reduced, KeyDictionary::hash(reduced));
  VERIFY(id, "there are fewer kinds than keys");
  if (*id == key_of_kind_.size()) key_of_kind_.push_back(key);
  return kind = *id;
}

void Summary::add_to(std::map<int32_t, DayOrMonth>& table, FlatMap& index, int32_t when,
                     uint32_t kind, const Cell& cell) {
  const auto [at, fresh] = index.find_or_insert(place_of(static_cast<uint32_t>(when), kind),
                                                static_cast<uint32_t>(cells_.size()));
  if (fresh) {
    cells_.push_back({key_of_kind_[kind], 0, {}});
    table[when].cells.push_back(at);
  }
  auto& sum = cells_[at];
  sum.requests += cell.requests;
  for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += cell.counts[i];
}

void Summary::add(const Change& days) {
  for (const auto& cell : days.cells) {
    const auto day = static_cast<int32_t>(period_of(cell.place));
    const auto kind = kind_of(key_of(cell.place));
    add_to(days_, day_index_, day, kind, cell);
    const auto* known = month_of_day_.find(static_cast<uint32_t>(day));
    const auto month =
        known != nullptr
            ? *known
            : month_of_day_
                  .find_or_insert(static_cast<uint32_t>(day),
                                  static_cast<uint32_t>(zone_.local_month(zone_.day_begin(day))))
                  .first;
    add_to(months_, month_index_, static_cast<int32_t>(month), kind, cell);
  }
  for (const auto& extra : days.extras)
    extras_[{static_cast<int32_t>(period_of(extra.place)), kind_of(key_of(extra.place))}]
           [extra.name] += extra.count;
}

bool Summary::answers(const UsageQuery& query) const {
  DimensionMask asked = query.group;
  for (const auto& filter : query.filters) asked |= mask_of(filter.dimension);
  if ((asked & ~summary_dimensions) != 0) return false;
  if (query.bucket == Bucket::grain || query.bucket == Bucket::hour) return false;
  const auto& [from, until] = query.interval;
  return zone_.day_begin(zone_.local_day(from)) == from &&
         zone_.day_begin(zone_.local_day(until)) == until;
}

void Summary::answer(const UsageQuery& query, Aggregator& aggregator) const {
  const auto from = query.interval.from;
  const auto until = query.interval.until;
  const bool whole_months = query.bucket != Bucket::day &&
                            zone_.month_begin(zone_.local_month(from)) == from &&
                            zone_.month_begin(zone_.local_month(until)) == until;
  const auto first_day = zone_.local_day(from);
  const auto last_day = zone_.local_day(until);
  const auto bucket_begin = [&](int32_t when, bool month) {
    if (query.bucket == Bucket::none) return from;
    if (month) return zone_.month_begin(when);
    return query.bucket == Bucket::day
               ? zone_.day_begin(when)
               : zone_.month_begin(zone_.local_month(zone_.day_begin(when)));
  };
  const auto& table = whole_months ? months_ : days_;
  const auto first = whole_months ? zone_.local_month(from) : first_day;
  const auto last = whole_months ? zone_.local_month(until) : last_day;
  for (auto at = table.lower_bound(first); at != table.end() && at->first < last; ++at) {
    const auto begin = bucket_begin(at->first, whole_months);
    for (const auto cell : at->second.cells)
      aggregator.add(begin, cells_[cell].key, cells_[cell].requests, cells_[cell].counts);
  }
  for (auto at = extras_.lower_bound({first_day, 0});
       at != extras_.end() && at->first.first < last_day; ++at)
    for (const auto& [name, count] : at->second)
      aggregator.add_extra(bucket_begin(at->first.first, false), key_of_kind_[at->first.second],
                           name, count);
}

}  // namespace gauger::ledger
