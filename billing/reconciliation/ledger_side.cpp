#include "billing/reconciliation/ledger_side.h"

#include <algorithm>

#include "billing/contracts/contract_days.h"
#include "billing/rate.h"

namespace gauger::billing {
namespace {

Interval interval_of(const TimeZone& zone, DayRange days) {
  return {zone.day_begin(days.from), zone.day_begin(days.until)};
}

// Keys of the provider for which `wanted` holds.
template <class Wanted>
std::vector<uint8_t> keys_where(const UsageTable& usage, std::string_view provider,
                                Wanted&& wanted) {
  std::vector<uint8_t> keys;
  for (const auto& key : usage.keys)
    keys.push_back(usage.text(key.provider) == provider &&
                   wanted(usage.text(key.provider_account)));
  return keys;
}

bool any(const std::vector<uint8_t>& keys) {
  return std::find(keys.begin(), keys.end(), 1) != keys.end();
}

// Rows that no contract covers at their time, as usage without a price.
Result<Rated> rate_uncovered(const UsageTable& usage, std::string_view provider,
                             const TimeZone& zone, DayRange days, const LedgerTerms& terms,
                             const Currency& currency) {
  PriceBook nothing;
  nothing.currency = currency;
  UsageTable open = usage;
  std::erase_if(open.rows, [&](const UsageRow& row) {
    const auto account = usage.text(usage.key(row).provider_account);
    return std::any_of(terms.contracts.begin(), terms.contracts.end(), [&](const auto& contract) {
      return contract.term.contains(row.period) && contract.covers(provider, account);
    });
  });
  const auto keys = keys_where(usage, provider, [](std::string_view) { return true; });
  return rate(
      open, nothing,
      {.zone = zone, .grouping = Grouping::day, .within = interval_of(zone, days), .keys = keys});
}

}  // namespace

DayRange days_to_rate(const TimeZone& zone, DayRange days, const LedgerTerms& terms) {
  if (terms.contracts.empty()) return days;
  const auto first = zone.local_month(zone.day_begin(days.from));
  const auto last = zone.local_month(zone.day_begin(days.until) - Duration{1});
  return {zone.local_day(zone.month_begin(first)), zone.local_day(zone.month_begin(last + 1))};
}

Result<std::vector<Rated>> rate_by_day(const UsageTable& usage, std::string_view provider,
                                       const TimeZone& zone, DayRange days,
                                       const LedgerTerms& terms) {
  std::vector<Rated> rated;
  if (terms.contracts.empty()) {
    if (terms.books.size() != 1)
      return invalid_argument("our side is rated with one price book, or with contracts");
    const auto keys = keys_where(usage, provider, [](std::string_view) { return true; });
    TRY(auto all, rate(usage, terms.books.begin()->second,
                       {.zone = zone,
                        .grouping = Grouping::day,
                        .within = interval_of(zone, days),
                        .keys = keys}));
    rated.push_back(std::move(all));
    return rated;
  }
  const auto first = zone.local_month(zone.day_begin(days.from));
  const auto last = zone.local_month(zone.day_begin(days.until) - Duration{1});
  for (const auto& contract : terms.contracts) {
    const auto keys = keys_where(usage, provider, [&](std::string_view account) {
      return contract.covers(provider, account);
    });
    if (contract.provider != provider || !any(keys)) continue;
    if (contract.zone.name() != zone.name())
      return invalid_argument("the contract " + contract.id + " counts months of " +
                              contract.zone.name() + ", the statement days of " + zone.name());
    for (auto month = first; month <= last; ++month) {
      TRY(auto of_month,
          rate_contract_by_day(
              usage, {.contract = contract, .books = terms.books, .capacity = terms.capacity},
              month));
      rated.push_back(std::move(of_month.rated));
    }
  }
  const auto currency = rated.empty() ? terms.contracts.front().currency : rated.front().currency;
  TRY(auto uncovered, rate_uncovered(usage, provider, zone, days, terms, currency));
  rated.push_back(std::move(uncovered));
  return rated;
}

}  // namespace gauger::billing
