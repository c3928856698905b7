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
  for (size_t i = 0; i < fine.cells.size(); ++i) places.push_back(day_place(fine.cells.place(i)));
  days.first_sequence = fine.first_sequence;
  days.last_sequence = fine.last_sequence;
  days.extras.clear();
  sum_cells(fine.cells, places, days.cells);
  for (size_t i = 0; i < days.cells.size(); ++i)
    days.cells.set_place(i, with_key(days.cells.place(i)));
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
  const auto& cells = days.cells;
  for (size_t begin = 0; begin < cells.size();) {
    const auto day = period_of(cells.place(begin));
    const auto end = day == UINT32_MAX
                         ? cells.size()
                         : cells.lower_bound(place_of(day + 1, 0), begin, cells.size());
    add_day(cells, begin, end);
    begin = end;
  }
  for (const auto& extra : days.extras)
    extras_[{static_cast<int32_t>(period_of(extra.place)), kinds_.kind_of(key_of(extra.place))}]
           [extra.name] += extra.count;
}

void Summary::add_day(const Cells& cells, size_t from, size_t until) {
  std::vector<Place> places;  // by team, and then as they come: by kind
  std::vector<KindOfTeam> kinds;
  places.reserve(until - from);
  kinds.reserve(until - from);
  for (auto at = from; at < until; ++at) {
    const auto kind = kinds_.kind_of(key_of(cells.place(at)));
    VERIFY(kinds.empty() || kinds.back().kind < kind, "kinds ascend with their first keys");
    kinds.push_back({kinds_.team_of(kind), kind});
    places.push_back(place_of(kinds.back().team, 0));
  }
  std::vector<CellView> sorted;
  std::vector<KindOfTeam> sorted_kinds;
  sorted.reserve(kinds.size());
  sorted_kinds.reserve(kinds.size());
  for (const auto at : order_of(places)) {
    sorted.push_back(cells[from + at]);
    sorted_kinds.push_back(kinds[at]);
  }
  const auto day = static_cast<int32_t>(period_of(cells.place(from)));
  const auto month = month_of(day);
  days_[day].add(sorted, sorted_kinds);
  months_[month].add(sorted, sorted_kinds);
  add_to_report(month, sorted, sorted_kinds);
}

void Summary::add_to_report(int32_t month, std::span<const CellView> cells,
                            std::span<const KindOfTeam> kinds) {
  auto& sums = reports_[month];
  sums.resize(report_kinds_.size());
  for (size_t i = 0; i < cells.size(); ++i)
    sums[report_kinds_.kind_of(kinds[i].kind)].add(cells[i]);
}

bool Summary::knows(const Change& change) const {
  const auto& cells = change.cells;
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto place = cells.place(i);
    if (key_of(place) >= kinds_.keys()) return false;
    if (i == 0 || period_of(cells.place(i - 1)) < period_of(place)) continue;
    const auto before = cells.place(i - 1);
    if (period_of(before) > period_of(place) ||
        kinds_.kind_of(key_of(before)) >= kinds_.kind_of(key_of(place)))
      return false;
  }
  return std::all_of(change.extras.begin(), change.extras.end(),
                     [&](const ExtraCell& extra) { return key_of(extra.place) < kinds_.keys(); });
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

// The groups of an answer by kind, found when they are first asked for.
class Groups {
 public:
  Groups(const UsageKinds& kinds, Aggregator& aggregator)
      : kinds_(kinds), aggregator_(aggregator), groups_(kinds.size(), unknown) {}

  void add(uint32_t bucket, uint32_t kind, const Sum& sum) {
    auto& group = groups_[kind];
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
  Groups groups(report_kinds_, aggregator);
  const auto last = zone_.local_month(query.interval.until);
  for (auto at = reports_.lower_bound(zone_.local_month(query.interval.from));
       at != reports_.end() && at->first < last; ++at) {
    const auto bucket = aggregator.bucket_at(bucket_begin(query, at->first, true));
    const auto& sums = at->second;
    for (uint32_t kind = 0; kind < sums.size(); ++kind)
      if (!sums[kind].is_zero()) groups.add(bucket, kind, sums[kind]);
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

template <class Visit>
void Summary::each_bucket(const UsageQuery& query, Visit&& visit) const {
  const auto& [from, until] = query.interval;
  const bool by_month = has_whole_months(query);
  const auto& table = by_month ? months_ : days_;
  const auto first = by_month ? zone_.local_month(from) : zone_.local_day(from);
  const auto last = by_month ? zone_.local_month(until) : zone_.local_day(until);
  for (auto at = table.lower_bound(first); at != table.end() && at->first < last; ++at)
    visit(bucket_begin(query, at->first, by_month), at->second);
}

// Its kinds are few, and so are its groups: each is looked up once per bucket.
void Summary::answer_team(const UsageQuery& query, StringId name, Aggregator& aggregator) const {
  const auto team = kinds_.find_team(name);
  if (!team) return;
  const auto kinds = kinds_.kinds_of_team(*team);
  std::vector<std::optional<uint32_t>> groups;
  for (const auto kind : kinds) groups.push_back(aggregator.group_of(kinds_.key_of(kind)));
  std::vector<Sum> sums;
  each_bucket(query, [&](Instant begin, const PackedSums& packed) {
    const auto bucket = aggregator.bucket_at(begin);
    sums.assign(aggregator.groups(), {});
    size_t at = 0;
    packed.each_of(*team, [&](uint32_t kind, const Sum& sum) {
      if (at == kinds.size() || kinds[at] > kind) at = 0;  // those that lie beside begin anew
      at = seek<uint32_t>(kinds, at, kind);
      if (groups[at]) sums[*groups[at]].add(sum);
    });
    for (uint32_t group = 0; group < sums.size(); ++group)
      if (!sums[group].is_zero())
        aggregator.add(bucket, group, sums[group].requests, sums[group].counts);
  });
}

void Summary::answer(const UsageQuery& query, Aggregator& aggregator) const {
  answer_extras(query, aggregator);
  if (is_report(query)) return answer_report(query, aggregator);
  for (const auto& filter : query.filters) {
    if (filter.dimension != Dimension::team) continue;
    const auto name = dictionary_.strings.find(filter.value);
    if (name) answer_team(query, *name, aggregator);
    return;
  }
  Groups groups(kinds_, aggregator);
  each_bucket(query, [&](Instant begin, const PackedSums& packed) {
    const auto bucket = aggregator.bucket_at(begin);
    packed.each([&](uint32_t kind, const Sum& sum) { groups.add(bucket, kind, sum); });
  });
}

}  // namespace gauger::ledger
