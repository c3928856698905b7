#include "ledger/summary.h"

#include <algorithm>
#include <optional>

#include "schemas/verify.h"

namespace gauger::ledger {

void sum_days(const Change& fine, std::chrono::minutes grain, const TimeZone& zone,
              const UsageKinds& kinds, Change& days) {
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
  days.first_sequence = fine.first_sequence;
  days.last_sequence = fine.last_sequence;
  days.extras.clear();
  sum_cells(fine.cells, places, days.cells);
  for (auto& cell : days.cells) cell.place = with_key(cell.place);
  for (const auto& extra : fine.extras)
    days.extras.push_back({with_key(day_place(extra.place)), extra.name, extra.count});
  const Change* one[] = {&days};
  if (!days.extras.empty()) days = merge(one);
}

int32_t Summary::month_of(int32_t day) {
  const auto [found, fresh] = months_of_days_.try_emplace(day);
  if (fresh) found->second = zone_.local_month(zone_.day_begin(day));
  return found->second;
}

void Summary::add(const Change& days) {
  std::vector<uint32_t> kinds;
  kinds.reserve(days.cells.size());
  for (const auto& cell : days.cells) kinds.push_back(kinds_.kind_of(key_of(cell.place)));
  const auto& cells = days.cells;
  for (size_t begin = 0; begin < cells.size();) {
    const auto day = period_of(cells[begin].place);
    auto end = begin + 1;
    while (end < cells.size() && period_of(cells[end].place) == day) ++end;
    const auto of_day = std::span(cells).subspan(begin, end - begin);
    const auto kinds_of_day = std::span(kinds).subspan(begin, end - begin);
    VERIFY(std::is_sorted(kinds_of_day.begin(), kinds_of_day.end(), std::less_equal<>()),
           "kinds ascend with their first keys");
    const auto month = month_of(static_cast<int32_t>(day));
    days_[static_cast<int32_t>(day)].add(of_day, kinds_of_day);
    months_[month].add(of_day, kinds_of_day);
    add_to_report(month, of_day, kinds_of_day);
    begin = end;
  }
  for (const auto& extra : days.extras)
    extras_[{static_cast<int32_t>(period_of(extra.place)), kinds_.kind_of(key_of(extra.place))}]
           [extra.name] += extra.count;
}

void Summary::add_to_report(int32_t month, std::span<const Cell> cells,
                            std::span<const uint32_t> kinds) {
  auto& sums = reports_[month];
  sums.resize(report_kinds_.size());
  for (size_t i = 0; i < cells.size(); ++i)
    sums[report_kinds_.kind_of(kinds[i])].add({cells[i].requests, cells[i].counts});
}

bool Summary::knows(const Change& change) const {
  const auto known = [&](const auto& cell) { return key_of(cell.place) < kinds_.keys(); };
  const auto in_order = [&](const Cell& a, const Cell& b) {
    return period_of(a.place) != period_of(b.place)
               ? a.place < b.place
               : kinds_.kind_of(key_of(a.place)) < kinds_.kind_of(key_of(b.place));
  };
  const auto& cells = change.cells;
  return std::all_of(cells.begin(), cells.end(), known) &&
         std::all_of(change.extras.begin(), change.extras.end(), known) &&
         std::adjacent_find(cells.begin(), cells.end(), [&](const Cell& a, const Cell& b) {
           return !in_order(a, b);
         }) == cells.end();
}

namespace {

DimensionMask asked_dimensions(const UsageQuery& query) {
  DimensionMask asked = query.group;
  for (const auto& filter : query.filters) asked |= mask_of(filter.dimension);
  return asked;
}

}  // namespace

bool Summary::answers(const UsageQuery& query) const {
  if ((asked_dimensions(query) & ~summary_dimensions) != 0) return false;
  if (query.bucket == Bucket::grain || query.bucket == Bucket::hour) return false;
  const auto& [from, until] = query.interval;
  return zone_.day_begin(zone_.local_day(from)) == from &&
         zone_.day_begin(zone_.local_day(until)) == until;
}

namespace {

// The groups of an answer, found when they are first asked for: by kind, or by place in a list of
// kinds.
class Groups {
 public:
  Groups(const UsageKinds& kinds, size_t places, Aggregator& aggregator)
      : kinds_(kinds), aggregator_(aggregator), groups_(places, unknown) {}

  void add(uint32_t bucket, size_t place, uint32_t kind, const Sum& sum) {
    auto& group = groups_[place];
    if (group == unknown) group = aggregator_.group_of(kinds_.key_of(kind)).value_or(filtered);
    if (group != filtered) aggregator_.add(bucket, group, sum.requests, sum.counts);
  }

 private:
  static constexpr uint32_t filtered = UINT32_MAX;
  static constexpr uint32_t unknown = UINT32_MAX - 1;
  const UsageKinds& kinds_;
  Aggregator& aggregator_;
  std::vector<uint32_t> groups_;
};

}  // namespace

bool Summary::has_whole_months(const UsageQuery& query) const {
  const auto& [from, until] = query.interval;
  return query.bucket != Bucket::day && zone_.month_begin(zone_.local_month(from)) == from &&
         zone_.month_begin(zone_.local_month(until)) == until;
}

bool Summary::is_report(const UsageQuery& query) const {
  return (asked_dimensions(query) & ~report_dimensions) == 0 && has_whole_months(query);
}

Instant Summary::bucket_begin(const UsageQuery& query, int32_t when, bool is_month) const {
  if (query.bucket == Bucket::none) return query.interval.from;
  if (is_month) return zone_.month_begin(when);
  const auto begin = zone_.day_begin(when);
  return query.bucket == Bucket::day ? begin : zone_.month_begin(zone_.local_month(begin));
}

void Summary::answer_report(const UsageQuery& query, Aggregator& aggregator) const {
  Groups groups(report_kinds_, report_kinds_.size(), aggregator);
  const auto last = zone_.local_month(query.interval.until);
  for (auto at = reports_.lower_bound(zone_.local_month(query.interval.from));
       at != reports_.end() && at->first < last; ++at) {
    const auto bucket = aggregator.bucket_at(bucket_begin(query, at->first, true));
    const auto& sums = at->second;
    for (uint32_t kind = 0; kind < sums.size(); ++kind)
      if (!sums[kind].is_zero()) groups.add(bucket, kind, kind, sums[kind]);
  }
}

void Summary::answer_extras(const UsageQuery& query, Aggregator& aggregator) const {
  const auto last_day = zone_.local_day(query.interval.until);
  for (auto at = extras_.lower_bound({zone_.local_day(query.interval.from), 0});
       at != extras_.end() && at->first.first < last_day; ++at) {
    const auto group = aggregator.group_of(kinds_.key_of(at->first.second));
    if (!group) continue;
    const auto bucket = aggregator.bucket_at(bucket_begin(query, at->first.first, false));
    for (const auto& [name, count] : at->second) aggregator.add_extra(bucket, *group, name, count);
  }
}

std::optional<std::span<const uint32_t>> Summary::wanted_kinds(const UsageQuery& query) const {
  std::optional<std::span<const uint32_t>> wanted;
  for (const auto& filter : query.filters) {
    if (filter.dimension != Dimension::team) continue;
    const auto team = dictionary_.strings.find(filter.value);
    wanted = team ? kinds_.kinds_of_team(*team) : std::span<const uint32_t>();
  }
  return wanted;
}

void Summary::answer(const UsageQuery& query, Aggregator& aggregator) const {
  answer_extras(query, aggregator);
  if (is_report(query)) return answer_report(query, aggregator);
  const auto& [from, until] = query.interval;
  const bool by_month = has_whole_months(query);
  const auto& table = by_month ? months_ : days_;
  const auto first = by_month ? zone_.local_month(from) : zone_.local_day(from);
  const auto last = by_month ? zone_.local_month(until) : zone_.local_day(until);
  const auto each = [&](auto&& add) {
    for (auto at = table.lower_bound(first); at != table.end() && at->first < last; ++at)
      add(aggregator.bucket_at(bucket_begin(query, at->first, by_month)), at->second);
  };
  if (const auto wanted = wanted_kinds(query)) {
    Groups groups(kinds_, wanted->size(), aggregator);
    return each([&](uint32_t bucket, const PackedSums& sums) {
      sums.each_of(*wanted,
                   [&](size_t i, const Sum& sum) { groups.add(bucket, i, (*wanted)[i], sum); });
    });
  }
  Groups groups(kinds_, kinds_.size(), aggregator);
  each([&](uint32_t bucket, const PackedSums& sums) {
    sums.each([&](uint32_t kind, const Sum& sum) { groups.add(bucket, kind, kind, sum); });
  });
}

}  // namespace gauger::ledger
