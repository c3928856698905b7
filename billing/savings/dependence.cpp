#include "billing/savings/dependence.h"

#include <map>
#include <tuple>

#include "billing/savings/counterfactual.h"

namespace gauger::billing {
namespace {

using ByTeam = std::pair<int32_t, std::string>;

Rational share_of(const Rational& part, const Rational& whole) {
  return whole.is_zero() ? Rational() : part / whole;
}

class DependenceMaker {
 public:
  DependenceMaker(const UsageTable& usage, const CompanyTerms& terms,
                  const std::vector<Program>& programs, MonthRange months, bool by_team)
      : usage_(usage), terms_(terms), programs_(programs), months_(months), by_team_(by_team) {}

  Result<Dependence> run() {
    TRY(const auto zone, common_zone(terms_.contracts));
    TRY(add_usage(zone));
    TRY(const auto cost, company_cost(usage_, terms_, months_));
    result_.currency = cost.currency;
    result_.as_of_sequence = usage_.as_of_sequence;
    add_spend(cost);
    share();
    return std::move(result_);
  }

 private:
  std::string team_of(const UsageKey& key) const {
    return by_team_ ? std::string(usage_.text(key.team)) : std::string();
  }

  ProviderShare& line(int32_t month, const std::string& team, const std::string& provider) {
    auto& found = lines_[{month, team, provider}];
    found.month = month;
    found.team = team;
    found.provider = provider;
    return found;
  }

  Result<void> add_usage(const TimeZone& zone) {
    const MonthFinder finder(zone);
    TRY(const auto parts, find_parts(usage_, programs_));
    for (const auto& row : parts.table.rows) {
      const auto month = finder.find(row.period);
      if (!months_.contains(month)) continue;
      const auto& key = parts.table.key(row);
      const auto tokens = tokens_of(row.counts);
      auto& provider = line(month, team_of(key), std::string(usage_.text(key.provider)));
      provider.requests += row.requests;
      provider.tokens += tokens;
      if (key.purpose != Purpose::production || key.role != Role::root) continue;
      auto& absorption = absorption_[{month, team_of(key)}];
      absorption.requests += row.requests;
      absorption.tokens += tokens;
      if (parts.parts[row.key].part != Part::accepted) continue;
      absorption.absorbed += row.requests;
      absorption.absorbed_tokens += tokens;
    }
    return success();
  }

  void add_spend(const CompanyCost& cost) {
    for (const auto& charge : cost.charges) {
      if (charge.key == no_usage_key) {
        line(charge.month, "", terms_.contracts[charge.contract].provider).spend += charge.amount;
        continue;
      }
      const auto& key = usage_.keys[charge.key];
      line(charge.month, team_of(key), std::string(usage_.text(key.provider))).spend +=
          charge.amount;
    }
  }

  void share() {
    std::map<ByTeam, std::pair<Int128, Rational>> totals;
    for (const auto& [where, found] : lines_) {
      auto& [tokens, spend] = totals[{found.month, found.team}];
      tokens += found.tokens;
      spend += found.spend;
    }
    for (auto& [where, found] : lines_) {
      const auto& [tokens, spend] = totals[{found.month, found.team}];
      found.token_share = share_of(Rational(found.tokens), Rational(tokens));
      found.spend_share = share_of(found.spend, spend);
      result_.providers.push_back(found);
    }
    for (auto& [where, absorption] : absorption_) {
      absorption.month = where.first;
      absorption.team = where.second;
      result_.absorption.push_back(absorption);
    }
  }

  const UsageTable& usage_;
  const CompanyTerms& terms_;
  const std::vector<Program>& programs_;
  const MonthRange months_;
  const bool by_team_;
  std::map<std::tuple<int32_t, std::string, std::string>, ProviderShare> lines_;
  std::map<ByTeam, Absorption> absorption_;
  Dependence result_;
};

}  // namespace

Result<Dependence> dependence_of(const UsageTable& usage, const CompanyTerms& terms,
                                 const std::vector<Program>& programs, MonthRange months,
                                 bool by_team) {
  return DependenceMaker(usage, terms, programs, months, by_team).run();
}

}  // namespace gauger::billing
