#include "billing/contracts/capacity.h"

#include <algorithm>

#include "billing/allocation.h"
#include "billing/rate.h"

namespace gauger::billing {
namespace {

// What was provisioned of one accelerator, in unit-microseconds.
struct Pool {
  const CapacityRecords* document = nullptr;
  int line = 0;
  Int128 provisioned_us = 0;
  Rational cost;
  Int128 used_us = 0;
  std::vector<size_t> charges;  // of Rated, one per key and model tier
};

std::map<std::string, Pool, std::less<>> pools_of(const ContractTerms& terms, Interval interval) {
  std::map<std::string, Pool, std::less<>> pools;
  for (const auto& document : terms.capacity) {
    if (document.contract != terms.contract.id) continue;
    for (const auto& record : document.records) {
      const auto from = std::max(record.interval.from, interval.from);
      const auto until = std::min(record.interval.until, interval.until);
      if (from >= until) continue;
      auto& pool = pools[record.accelerator];
      if (pool.document == nullptr) {
        pool.document = &document;
        pool.line = record.line;
      }
      const auto us = Int128{record.units} * (until - from).count();
      pool.provisioned_us += us;
      pool.cost += Rational(us) * Rational::ratio(record.price_per_hour.pico, compute_us_per_hour);
    }
  }
  return pools;
}

uint32_t add_rule(const Pool& pool, const std::string& accelerator, const ContractTerms& terms,
                  std::string label, Rated& rated) {
  Rule rule;
  rule.document = terms.contract.id;
  rule.version = terms.contract.version + "/" + pool.document->version;
  rule.line = pool.line;
  rule.label = std::move(label) + " " + accelerator;
  rule.item = to_string(Meter::compute_us);
  // The average price of an hour, cut to 10^-12: for people; the charges hold the exact amounts.
  const auto hour =
      pool.cost * Rational(Int128{compute_us_per_hour}) / Rational(pool.provisioned_us);
  rule.price.per = Per::hour;
  rule.price.unit = {static_cast<int64_t>(hour.rounded(Rounding::half_even)), compute_us_per_hour};
  rated.rules.push_back(std::move(rule));
  return static_cast<uint32_t>(rated.rules.size() - 1);
}

// Compute time per key, read through the rating engine with a price of nothing, so that
// grouping, tiers and the checks of time are the same as everywhere.
Result<Rated> measure(const UsageTable& usage, const ContractTerms& terms, Interval interval,
                      std::span<const uint8_t> keys) {
  PriceBook free;
  free.id = terms.contract.id;
  free.version = terms.contract.version;
  free.currency = terms.contract.currency;
  PriceEntry entry;
  entry.provider = terms.contract.provider;
  entry.models.emplace_back();
  entry.service_tiers = every_service_tier;
  entry.prices.push_back({std::string(to_string(Meter::compute_us)), Price{}});
  free.entries.push_back(std::move(entry));
  return rate(
      usage, free,
      {.zone = terms.contract.zone, .catalog = terms.catalog, .within = interval, .keys = keys});
}

void add_idle(const Pool& pool, const std::string& accelerator, const ContractTerms& terms,
              Instant from, uint32_t owner_key, Rated& rated) {
  const auto idle_us = pool.provisioned_us - pool.used_us;
  if (idle_us <= 0) return;
  const auto cost = pool.cost * Rational(idle_us) / Rational(pool.provisioned_us);
  const auto rule = add_rule(pool, accelerator, terms, "idle", rated);
  if (pool.charges.empty()) {
    rated.charges.push_back({.from = from,
                             .key = owner_key,
                             .rule = rule,
                             .item = item_of(Meter::compute_us),
                             .kind = ChargeKind::idle,
                             .quantity = static_cast<int64_t>(idle_us),
                             .amount = cost});
    return;
  }
  std::vector<Rational> used;
  for (const auto index : pool.charges) used.emplace_back(Int128{rated.charges[index].quantity});
  const auto quantities = allocate(idle_us, used);
  for (size_t i = 0; i < used.size(); ++i) {
    auto charge = rated.charges[pool.charges[i]];
    charge.rule = rule;
    charge.kind = ChargeKind::idle;
    charge.quantity = static_cast<int64_t>(quantities[i]);
    charge.amount = cost * used[i] / Rational(pool.used_us);
    rated.charges.push_back(std::move(charge));
  }
}

}  // namespace

Result<void> rate_capacity(const UsageTable& usage, const ContractTerms& terms, Interval interval,
                           std::span<const uint8_t> keys, uint32_t owner_key, Rated& rated) {
  auto pools = pools_of(terms, interval);
  for (const auto& [accelerator, pool] : pools)
    if (pool.provisioned_us > std::numeric_limits<int64_t>::max())
      return Error{ErrorCode::overflow, pool.document->file + ": more " + accelerator +
                                            " hours are provisioned than can be counted"};
  TRY(auto measured, measure(usage, terms, interval, keys));
  // Provisioned capacity covers all that ran on it; only unmeasured time stays open.
  std::erase_if(measured.unpriced, [](const Unpriced& unpriced) {
    return unpriced.reason != UnpricedReason::no_compute_time;
  });
  const auto first = static_cast<std::ptrdiff_t>(rated.charges.size());
  append(rated, std::move(measured));
  std::vector<Charge> mine(std::make_move_iterator(rated.charges.begin() + first),
                           std::make_move_iterator(rated.charges.end()));
  rated.charges.resize(static_cast<size_t>(first));
  for (auto& charge : mine) {
    if (charge.quantity < 0)
      return invalid_argument("the compute time of a key is below zero in a capacity month");
    const auto accelerator = rated.text(rated.key(charge).accelerator);
    const auto pool = pools.find(accelerator);
    if (pool == pools.end()) {
      rated.unpriced.push_back(
          {charge.from, charge.key, charge.item, UnpricedReason::no_capacity, charge.quantity});
      continue;
    }
    pool->second.used_us += charge.quantity;
    pool->second.charges.push_back(rated.charges.size());
    rated.charges.push_back(std::move(charge));
  }
  for (auto& [accelerator, pool] : pools) {
    const auto rule = add_rule(pool, accelerator, terms, "capacity", rated);
    const auto weight_us = terms.overage_at_average ? pool.provisioned_us
                                                    : std::max(pool.provisioned_us, pool.used_us);
    for (const auto index : pool.charges) {
      auto& charge = rated.charges[index];
      charge.rule = rule;
      charge.amount = pool.cost * Rational::ratio(charge.quantity, weight_us);
    }
    add_idle(pool, accelerator, terms, interval.from, owner_key, rated);
  }
  return success();
}

}  // namespace gauger::billing
