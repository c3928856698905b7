#include "billing/savings/alternatives.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "billing/savings/conversion.h"

namespace gauger::billing {
namespace {

// Workload, provider and model of today, alternative.
using Where = std::tuple<std::string, std::string, std::string, std::string>;
using Costs = std::map<Where, AlternativeCost>;

constexpr std::array<CostDimension, 3> dimensions = {CostDimension::workload,
                                                     CostDimension::provider, CostDimension::model};

AlternativeCost& cost_at(Costs& costs, const UsageTable& usage, uint32_t key,
                         const std::string& alternative) {
  const auto texts = texts_of(usage, key, dimensions);
  auto& cost = costs[{texts[0], texts[1], texts[2], alternative}];
  cost.workload = texts[0];
  cost.provider = texts[1];
  cost.model = texts[2];
  cost.alternative = alternative;
  return cost;
}

void add_gap(AlternativeCost& cost, const std::string& sentence) {
  if (std::find(cost.gaps.begin(), cost.gaps.end(), sentence) == cost.gaps.end())
    cost.gaps.push_back(sentence);
}

bool uses(const UsageTable& usage, uint32_t key, const StudentModel& model) {
  return key != no_usage_key && usage.text(usage.keys[key].provider) == model.provider &&
         usage.text(usage.keys[key].model) == model.model;
}

// The other provider's book as a contract of all time.
Contract contract_of(const Alternative& alternative, const PriceBook& book, const TimeZone& zone) {
  Contract contract;
  contract.file = alternative.file;
  contract.id = alternative.id;
  contract.version = alternative.version;
  contract.provider = alternative.conversion.teacher.provider;
  contract.currency = book.currency;
  contract.zone = zone;
  contract.term = {begin_of_time, end_of_time};
  TokenTerms tokens;
  tokens.price_book = alternative.price_book;
  contract.regimes = {Regime{0, contract.term, tokens}};
  return contract;
}

Result<void> add_alternative(const UsageTable& usage, const CompanyTerms& terms,
                             const Alternative& alternative, MonthRange months,
                             const TimeZone& zone, Costs& costs) {
  const auto book = terms.books.find(alternative.price_book);
  if (book == terms.books.end())
    return invalid_argument(alternative.file + ": the price book '" + alternative.price_book +
                            "' is not known");
  if (book->second.currency != terms.contracts.front().currency)
    return invalid_argument(alternative.file + ": the price book '" + alternative.price_book +
                            "' is in " + book->second.currency.code() + ", the contracts in " +
                            terms.contracts.front().currency.code());
  const std::array contracts = {contract_of(alternative, book->second, zone)};
  const std::array programs = {alternative.conversion};
  std::vector<int32_t> program_of_key;
  for (uint32_t key = 0; key < usage.keys.size(); ++key)
    program_of_key.push_back(uses(usage, key, alternative.conversion.student) ? 0 : -1);
  TRY(const auto converted, convert(usage, program_of_key, programs, contracts, zone));
  for (const auto& [key, quantity] : converted.problems.all())
    for (auto& [where, cost] : costs)
      if (cost.alternative == alternative.id) add_gap(cost, std::get<2>(key));
  for (auto month = months.first; month <= months.last; ++month) {
    TRY(const auto rated,
        rate_contract(converted.table, {.contract = contracts.front(), .books = terms.books},
                      month));
    for (const auto& charge : rated.rated.charges) {
      if (charge.key >= converted.keys.size()) continue;
      const auto& key = converted.keys[charge.key];
      const auto meter = meter_of(charge.item);
      const auto factor =
          meter ? key.factors[static_cast<size_t>(*meter)].ratio : Rational(Int128{1});
      cost_at(costs, usage, key.source, alternative.id).amount += charge.amount * factor;
    }
    for (const auto& open : rated.rated.unpriced)
      if (open.key < converted.keys.size())
        add_gap(cost_at(costs, usage, converted.keys[open.key].source, alternative.id),
                std::string(rated.rated.item_name(open.item)) + ": " +
                    std::string(to_string(open.reason)));
  }
  return success();
}

// The first of equals; today's before others.
void choose_cheapest(std::vector<AlternativeCost>& lines) {
  for (size_t begin = 0; begin < lines.size();) {
    size_t end = begin;
    size_t best = lines.size();
    for (; end < lines.size() &&
           std::tie(lines[end].workload, lines[end].provider, lines[end].model) ==
               std::tie(lines[begin].workload, lines[begin].provider, lines[begin].model);
         ++end)
      if (lines[end].gaps.empty() &&
          (best == lines.size() || lines[end].amount < lines[best].amount))
        best = end;
    if (best < lines.size()) lines[best].cheapest = true;
    begin = end;
  }
}

}  // namespace

Result<std::vector<AlternativeCost>> price_alternatives(const UsageTable& usage,
                                                        const CompanyTerms& terms,
                                                        std::span<const Alternative> alternatives,
                                                        MonthRange months) {
  TRY(const auto zone, common_zone(terms.contracts));
  const Interval interval{zone.month_begin(months.first), zone.month_begin(months.last + 1)};
  Costs costs;
  const auto each = [&](uint32_t key, const auto& take) {
    for (const auto& alternative : alternatives)
      if (uses(usage, key, alternative.conversion.student)) take(alternative);
  };
  UsageTable inside = usage;
  std::erase_if(inside.rows, [&](const UsageRow& row) { return !interval.contains(row.period); });
  for (const auto& row : inside.rows) {
    bool today = false;
    each(row.key, [&](const Alternative& alternative) {
      cost_at(costs, usage, row.key, alternative.id).requests += row.requests;
      if (!std::exchange(today, true)) cost_at(costs, usage, row.key, "").requests += row.requests;
    });
  }
  TRY(const auto own, company_cost(usage, terms, months));
  for (const auto& charge : own.charges) {
    bool today = false;
    each(charge.key, [&](const Alternative&) {
      if (!std::exchange(today, true))
        cost_at(costs, usage, charge.key, "").amount += charge.amount;
    });
  }
  for (const auto& gap : own.gaps)
    each(gap.key,
         [&](const Alternative&) { add_gap(cost_at(costs, usage, gap.key, ""), gap.sentence); });
  for (const auto& alternative : alternatives) {
    TRY(add_alternative(inside, terms, alternative, months, zone, costs));
  }
  std::vector<AlternativeCost> lines;
  for (auto& [where, cost] : costs) lines.push_back(std::move(cost));
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
    const auto rank = [](const auto& line) {
      return std::tuple(std::string_view(line.workload), std::string_view(line.provider),
                        std::string_view(line.model), !line.alternative.empty());
    };
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.amount < b.amount;
  });
  choose_cheapest(lines);
  return lines;
}

}  // namespace gauger::billing
