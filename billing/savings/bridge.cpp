#include "billing/savings/bridge.h"

#include <algorithm>
#include <map>

#include "billing/savings/comparison.h"
#include "billing/savings/conversion.h"

namespace gauger::billing {
namespace {

// What a group used and cost. `same`: in a regime of the kind that it had at base.
struct Group {
  size_t family = 0;  // groups of one family substitute each other
  int64_t requests_base = 0;
  int64_t requests_later = 0;
  Rational cost_base;
  Rational later_at_base;  // the later usage at base prices; at its own where it had none
  Rational cost_later;
  Rational later_in_same_regime;  // cost_later, but at base prices where the regime is another
};

class BridgeMaker {
 public:
  BridgeMaker(const UsageTable& usage, const CompanyTerms& terms, std::span<const Program> programs,
              MonthRange base, MonthRange later, const TimeZone& zone)
      : usage_(usage),
        terms_(terms),
        programs_(programs),
        base_(base),
        later_(later),
        zone_(zone) {}

  Result<Bridge> run() {
    bridge_.as_of_sequence = usage_.as_of_sequence;
    number_groups();
    count_requests();
    TRY(add_base());
    TRY(add_later());
    take_steps();
    return std::move(bridge_);
  }

 private:
  Interval interval_of(MonthRange months) const {
    return {zone_.month_begin(months.first), zone_.month_begin(months.last + 1)};
  }

  // --- groups --------------------------------------------------------------------------------
  static UsageKey group_key(UsageKey key) {
    key.name_space = key.project = {};
    key.role = Role::root;
    key.outcome = Outcome::absent;
    key.purpose = Purpose::production;
    key.exposure = Exposure::internal;
    key.usage_source = UsageSource::reported;
    return key;
  }

  // Students and teachers of one programme, in one team and workload, are one family.
  UsageKey family_key(UsageKey key, uint32_t group) const {
    for (uint32_t i = 0; i < programs_.size(); ++i) {
      const auto& program = programs_[i];
      const auto is = [&](const auto& model) {
        return usage_.text(key.provider) == model.provider && usage_.text(key.model) == model.model;
      };
      const auto named = usage_.text(key.program);
      const bool listed = std::find(program.workloads.begin(), program.workloads.end(),
                                    usage_.text(key.workload)) != program.workloads.end();
      const bool student = is(program.student) && named == program.id;
      const bool teacher =
          is(program.teacher) && (named == program.id || (named.empty() && listed));
      if (!student && !teacher) continue;
      UsageKey family;
      family.team = key.team;
      family.workload = key.workload;
      family.service_tier = key.service_tier;
      family.provider_account = {UINT32_MAX};  // apart from every group of its own
      family.model = {i};
      return family;
    }
    UsageKey alone;
    alone.provider_account = {UINT32_MAX};
    alone.region = {group};
    alone.model = {UINT32_MAX};
    return alone;
  }

  void number_groups() {
    std::map<UsageKey, uint32_t> groups;
    std::map<UsageKey, size_t> families;
    for (const auto& key : usage_.keys) {
      const auto reduced = group_key(key);
      const auto [found, added] =
          groups.try_emplace(reduced, static_cast<uint32_t>(groups_.size()));
      if (added) {
        Group group;
        group.family =
            families.try_emplace(family_key(reduced, found->second), families.size()).first->second;
        groups_.push_back(group);
      }
      group_of_key_.push_back(found->second);
    }
    families_ = families.size();
  }

  void count_requests() {
    const auto base = interval_of(base_);
    const auto later = interval_of(later_);
    for (const auto& row : usage_.rows) {
      auto& group = groups_[group_of_key_[row.key]];
      if (base.contains(row.period)) group.requests_base += row.requests;
      if (later.contains(row.period)) group.requests_later += row.requests;
    }
  }

  // --- costs ---------------------------------------------------------------------------------
  Result<void> add_base() {
    TRY(auto cost, company_cost(usage_, terms_, base_));
    bridge_.currency = cost.currency;
    bridge_.base = cost.total();
    for (const auto& charge : cost.charges) {
      if (charge.is_usage() && charge.key != no_usage_key)
        groups_[group_of_key_[charge.key]].cost_base += charge.amount;
      else
        bridge_.idle_and_minimums -= charge.amount;
    }
    bridge_.gaps = std::move(cost.gaps);
    return success();
  }

  // The same day of the month and time of the day in the base period.
  Instant at_base(Instant at) const {
    const auto month = zone_.local_month(at);
    const auto base = std::min(base_.first + (month - later_.first), base_.last);
    const auto day = zone_.local_day(at);
    const auto into_month = day - zone_.local_day(zone_.month_begin(month));
    const auto base_day = std::min(zone_.local_day(zone_.month_begin(base)) + into_month,
                                   zone_.local_day(zone_.month_begin(base + 1)) - 1);
    const auto moved = zone_.day_begin(base_day) + (at - zone_.day_begin(day));
    return std::min(moved, Instant(zone_.day_begin(base_day + 1) - usage_.grain));
  }

  // 0: none, 1: compute-hours, 2: tokens.
  int regime_kind(const UsageKey& key, Instant at) const {
    const auto found = regime_at(terms_.contracts, usage_.text(key.provider),
                                 usage_.text(key.provider_account), at);
    if (!found) return 0;
    const auto& regime = terms_.contracts[found->contract].regimes[found->regime];
    return std::holds_alternative<ComputeHours>(regime.terms) ? 1 : 2;
  }

  // The later usage twice, at its own time and moved to the base period. Keys double: those of
  // usage whose regime is of another kind come after all others.
  Result<void> add_later() {
    const auto later = interval_of(later_);
    const auto count = static_cast<uint32_t>(usage_.keys.size());
    // Charges before the period decide thresholds and minimums, so the rows of then stay.
    UsageTable own = usage_;
    UsageTable moved = usage_;
    for (auto* table : {&own, &moved})
      table->keys.insert(table->keys.end(), usage_.keys.begin(), usage_.keys.end());
    moved.rows.clear();
    for (size_t i = 0; i < usage_.rows.size(); ++i) {
      auto row = usage_.rows[i];
      if (!later.contains(row.period)) continue;
      const auto base_time = at_base(row.period);
      const auto& key = usage_.key(row);
      if (regime_kind(key, row.period) != regime_kind(key, base_time)) row.key += count;
      own.rows[i].key = row.key;
      row.period = base_time;
      moved.rows.push_back(row);
    }
    TRY(const auto timed, with_compute_profiles(std::move(moved), programs_));
    TRY(auto cost, company_cost(own, terms_, later_));
    TRY(const auto at_base_prices, company_cost(timed, terms_, base_, true));
    bridge_.later = cost.total();
    sum_later(cost, at_base_prices, count);
    for (auto& gap : cost.gaps) {
      gap.key %= count;
      bridge_.gaps.push_back(std::move(gap));
    }
    return success();
  }

  void sum_later(const CompanyCost& own, const CompanyCost& at_base_prices, uint32_t count) {
    const auto size = size_t{count} * 2;
    std::vector<Rational> cost(size);
    std::vector<Rational> rerated(size);
    std::vector<bool> unpriced(size);
    for (const auto& charge : own.charges) {
      if (charge.is_usage() && charge.key != no_usage_key)
        cost[charge.key] += charge.amount;
      else
        bridge_.idle_and_minimums += charge.amount;
    }
    for (const auto& charge : at_base_prices.charges)
      if (charge.is_usage() && charge.key != no_usage_key) rerated[charge.key] += charge.amount;
    for (const auto& gap : at_base_prices.gaps) unpriced[gap.key] = true;
    for (uint32_t key = 0; key < size; ++key) {
      auto& group = groups_[group_of_key_[key % count]];
      const auto& base = unpriced[key] ? cost[key] : rerated[key];
      group.later_at_base += base;
      group.cost_later += cost[key];
      group.later_in_same_regime += key < count ? cost[key] : base;
    }
  }

  // --- steps ---------------------------------------------------------------------------------
  // What a request of the group costs at base prices with the tokens it has later.
  static Rational per_request(const Group& group) {
    if (group.requests_later > 0 && group.requests_base > 0)
      return group.later_at_base / Rational(Int128{group.requests_later});
    return group.cost_base / Rational(Int128{group.requests_base});
  }

  void take_steps() {
    struct Family {
      int64_t base = 0;
      int64_t later = 0;
    };
    std::vector<Family> families(families_);
    int64_t requests_base = 0;
    int64_t requests_later = 0;
    Rational base;
    Rational at_base;
    Rational same_regime;
    Rational later;
    for (const auto& group : groups_) {
      requests_base += group.requests_base;
      requests_later += group.requests_later;
      families[group.family].base += group.requests_base;
      families[group.family].later += group.requests_later;
      base += group.cost_base;
      at_base += group.later_at_base;
      same_regime += group.later_in_same_regime;
      later += group.cost_later;
    }
    const auto growth =
        requests_base > 0 ? Rational::ratio(requests_later, requests_base) : Rational(Int128{1});
    Rational intense;  // base requests, grown, with later tokens
    Rational mixed;    // later requests by family, shared inside it as at base
    for (const auto& group : groups_) {
      const auto& family = families[group.family];
      if (group.requests_base <= 0) {
        // Nothing to scale: usage that cost something without a request, or a new group.
        intense += group.cost_base * growth;
        if (family.base <= 0) mixed += group.later_at_base;
        continue;
      }
      const Rational requests(Int128{group.requests_base});
      intense += per_request(group) * requests * growth;
      mixed += per_request(group) * requests * Rational::ratio(family.later, family.base);
    }
    bridge_.volume = base * growth - base;
    bridge_.intensity = intense - base * growth;
    bridge_.mix = mixed - intense;
    bridge_.substitution = at_base - mixed;
    bridge_.price = same_regime - at_base;
    bridge_.regime = later - same_regime;
  }

  const UsageTable& usage_;
  const CompanyTerms& terms_;
  std::span<const Program> programs_;
  const MonthRange base_;
  const MonthRange later_;
  const TimeZone& zone_;
  std::vector<Group> groups_;
  std::vector<uint32_t> group_of_key_;
  size_t families_ = 0;
  Bridge bridge_;
};

}  // namespace

Result<Bridge> bridge_between(const UsageTable& usage, const CompanyTerms& terms,
                              std::span<const Program> programs, MonthRange base,
                              MonthRange later) {
  if (later.first <= base.last && base.first <= later.last)
    return invalid_argument("the two periods of a bridge overlap");
  TRY(const auto zone, common_zone(terms.contracts));
  return BridgeMaker(usage, terms, programs, base, later, zone).run();
}

}  // namespace gauger::billing
