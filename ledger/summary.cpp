#include "ledger/summary.h"

#include <algorithm>
#include <optional>

#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

// The first place at or after `from` whose value is not below `wanted`, searched in growing steps:
// neighbours cost a few comparisons, far ones the logarithm of their distance.
size_t seek(const std::vector<uint32_t>& sorted, size_t from, uint32_t wanted) {
  size_t step = 1;
  size_t low = from;
  while (low + step < sorted.size() && sorted[low + step] < wanted) {
    low += step;
    step *= 2;
  }
  const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(low);
  const auto end =
      sorted.begin() + static_cast<std::ptrdiff_t>(std::min(sorted.size(), low + step + 1));
  return static_cast<size_t>(std::lower_bound(begin, end, wanted) - sorted.begin());
}

}  // namespace

Change sum_days(const Change& fine, std::chrono::minutes grain, const TimeZone& zone,
                const UsageKinds& kinds) {
  uint32_t period = UINT32_MAX;
  uint32_t day = 0;
  const auto day_place = [&](Place place) {
    if (period_of(place) != period) {
      period = period_of(place);
      day = static_cast<uint32_t>(zone.local_day(period_begin(period, grain)));
    }
    return place_of(day, kinds.kind_of(key_of(place)));
  };
  const auto with_key = [&](Place place) {
    return place_of(period_of(place), kinds.first_key_of(key_of(place)));
  };
  std::vector<Place> places;
  places.reserve(fine.cells.size());
  for (const auto& cell : fine.cells) places.push_back(day_place(cell.place));
  Change days{fine.first_sequence, fine.last_sequence, sum_cells(fine.cells, places), {}};
  for (auto& cell : days.cells) cell.place = with_key(cell.place);
  for (const auto& extra : fine.extras)
    days.extras.push_back({with_key(day_place(extra.place)), extra.name, extra.count});
  const Change* one[] = {&days};
  if (!days.extras.empty()) return merge(one);
  return days;
}

// Adds cells, whose places name kinds in ascending order: to those that are there at once, then
// makes room for the others from behind.
void Summary::add_cells(Sums& to, std::span<const Cell> cells) {
  std::vector<const Cell*> fresh;
  size_t at = 0;
  for (const auto& cell : cells) {
    at = seek(to.kinds, at, key_of(cell.place));
    if (at == to.kinds.size() || to.kinds[at] != key_of(cell.place)) {
      fresh.push_back(&cell);
      continue;
    }
    auto& sum = to.sums[at];
    sum.requests += cell.requests;
    for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += cell.counts[i];
  }
  auto from = to.kinds.size();
  auto into = from + fresh.size();
  to.kinds.resize(into);
  to.sums.resize(into);
  while (!fresh.empty()) {
    --into;
    const auto& cell = *fresh.back();
    if (from > 0 && to.kinds[from - 1] > key_of(cell.place)) {
      --from;
      to.kinds[into] = to.kinds[from];
      to.sums[into] = to.sums[from];
    } else {
      to.kinds[into] = key_of(cell.place);
      to.sums[into] = {cell.requests, cell.counts};
      fresh.pop_back();
    }
  }
}

int32_t Summary::month_of(int32_t day) {
  const auto [found, fresh] = months_of_days_.try_emplace(day);
  if (fresh) found->second = zone_.local_month(zone_.day_begin(day));
  return found->second;
}

void Summary::add(const Change& days) {
  std::vector<Place> places;
  places.reserve(days.cells.size());
  for (const auto& cell : days.cells)
    places.push_back(place_of(period_of(cell.place), kinds_.kind_of(key_of(cell.place))));
  const auto cells = sum_cells(days.cells, places);
  for (size_t begin = 0; begin < cells.size();) {
    auto end = begin + 1;
    while (end < cells.size() && period_of(cells[end].place) == period_of(cells[begin].place))
      ++end;
    const auto day = static_cast<int32_t>(period_of(cells[begin].place));
    const auto of_day = std::span(cells).subspan(begin, end - begin);
    add_cells(days_[day], of_day);
    add_cells(months_[month_of(day)], of_day);
    begin = end;
  }
  for (const auto& extra : days.extras)
    extras_[{static_cast<int32_t>(period_of(extra.place)), kinds_.kind_of(key_of(extra.place))}]
           [extra.name] += extra.count;
}

bool Summary::knows(const Change& change) const {
  const auto known = [&](const auto& cell) { return key_of(cell.place) < kinds_.keys(); };
  return std::all_of(change.cells.begin(), change.cells.end(), known) &&
         std::all_of(change.extras.begin(), change.extras.end(), known);
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

// The groups of an answer by kind, found when they are first asked for.
class Summary::Groups {
 public:
  Groups(const UsageKinds& kinds, Aggregator& aggregator)
      : kinds_(kinds), aggregator_(aggregator), groups_(kinds.size(), unknown) {}

  std::optional<uint32_t> operator[](uint32_t kind) {
    auto& group = groups_[kind];
    if (group == unknown) group = aggregator_.group_of(kinds_.key_of(kind)).value_or(filtered);
    return group == filtered ? std::nullopt : std::optional(group);
  }
  void prefetch(uint32_t kind) const {
    if (groups_[kind] == unknown) aggregator_.prefetch_group(kinds_.key_of(kind));
  }

 private:
  static constexpr uint32_t filtered = UINT32_MAX;
  static constexpr uint32_t unknown = UINT32_MAX - 1;
  const UsageKinds& kinds_;
  Aggregator& aggregator_;
  std::vector<uint32_t> groups_;
};

// All kinds, or the `wanted` ones.
void Summary::answer_from(const Sums& sums, uint32_t bucket, const std::vector<uint32_t>* wanted,
                          Groups& groups, Aggregator& aggregator) {
  const auto add = [&](size_t at) {
    if (const auto group = groups[sums.kinds[at]])
      aggregator.add(bucket, *group, sums.sums[at].requests, sums.sums[at].counts);
  };
  if (wanted == nullptr) {
    constexpr size_t prefetch_distance = 16;
    for (size_t at = 0; at < sums.kinds.size(); ++at) {
      if (at + prefetch_distance < sums.kinds.size())
        groups.prefetch(sums.kinds[at + prefetch_distance]);
      add(at);
    }
    return;
  }
  size_t at = 0;
  for (const auto kind : *wanted) {
    at = seek(sums.kinds, at, kind);
    if (at == sums.kinds.size()) return;
    if (sums.kinds[at] == kind) add(at);
  }
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
  // A team that is asked for has few kinds.
  std::optional<std::vector<uint32_t>> wanted;
  for (const auto& filter : query.filters) {
    if (filter.dimension != Dimension::team) continue;
    const auto team = dictionary_.strings.find(filter.value);
    const auto kinds = team ? kinds_.kinds_of_team(*team) : std::span<const uint32_t>();
    wanted.emplace(kinds.begin(), kinds.end());
  }
  Groups groups(kinds_, aggregator);
  const auto& table = whole_months ? months_ : days_;
  const auto first = whole_months ? zone_.local_month(from) : first_day;
  const auto last = whole_months ? zone_.local_month(until) : last_day;
  for (auto at = table.lower_bound(first); at != table.end() && at->first < last; ++at)
    answer_from(at->second, aggregator.bucket_at(bucket_begin(at->first, whole_months)),
                wanted ? &*wanted : nullptr, groups, aggregator);
  for (auto at = extras_.lower_bound({first_day, 0});
       at != extras_.end() && at->first.first < last_day; ++at)
    for (const auto& [name, count] : at->second)
      if (const auto group = groups[at->first.second])
        aggregator.add_extra(aggregator.bucket_at(bucket_begin(at->first.first, false)), *group,
                             name, count);
}

}  // namespace gauger::ledger
