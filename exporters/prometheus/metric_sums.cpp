#include "billing/rate.h"
#include "exporters/prometheus/metrics.h"
#include "schemas/money.h"

namespace gauger::exporters {
namespace {

UsageLabels labels_of(const UsageTable& usage, const UsageKey& key, std::string_view tier) {
  return {std::string(usage.text(key.team)), std::string(usage.text(key.provider)),
          std::string(tier)};
}

}  // namespace

Result<UsageByLabels> sum_usage(const UsageTable& months, const billing::ModelCatalog* catalog,
                                Instant now) {
  UsageByLabels sums;
  std::map<std::tuple<uint32_t, uint32_t, Instant>, std::string> tiers;
  for (const auto& row : months.rows) {
    const auto& key = months.key(row);
    auto& tier = tiers[{key.provider.value, key.model.value, row.period}];
    if (tier.empty()) {
      tier = billing::unclassified;
      if (catalog != nullptr) {
        // Every month has a 28th day.
        const auto at = std::max(row.period, std::min(now, row.period + std::chrono::days{27}));
        TRY(tier,
            billing::model_tier(*catalog, months.text(key.provider), months.text(key.model), at));
      }
    }
    auto& sum = sums[labels_of(months, key, tier)];
    sum.requests += row.requests;
    for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += row.counts[i];
  }
  return sums;
}

CostByLabels sum_costs(const UsageTable& usage, const std::vector<billing::PriceBook>& books,
                       const billing::ModelCatalog* catalog, const TimeZone& zone) {
  CostByLabels sums;
  std::vector<uint8_t> open(usage.keys.size(), 1);  // keys that no book has priced yet
  std::map<UsageLabels, int64_t> unpriced;
  if (books.empty())
    for (const auto& row : usage.rows)
      unpriced[labels_of(usage, usage.key(row), billing::unclassified)] += row.requests;
  for (const auto& book : books) {
    billing::RateOptions options;
    options.zone = zone;
    options.catalog = catalog;
    options.keys = open;
    // A book that cannot rate this ledger's usage prices nothing of it.
    const auto rating = billing::rate(usage, book, options);
    if (!rating) continue;
    const auto& rated = rating.value();
    unpriced.clear();
    std::vector<uint8_t> missing(usage.keys.size(), 0);
    for (const auto& one : rated.unpriced) {
      missing[one.key] = 1;
      unpriced[labels_of(usage, usage.keys[one.key], billing::unclassified)] += one.quantity;
    }
    for (const auto& charge : rated.charges) {
      if (missing[charge.key] != 0) continue;
      const auto labels =
          labels_of(usage, usage.keys[charge.key], rated.model_tiers[charge.model_tier]);
      const auto pico = charge.amount.rounded(billing::Rounding::half_even);
      sums[{labels, book.currency.code()}].cost +=
          static_cast<double>(pico) / static_cast<double>(pico_per_unit);
    }
    open = std::move(missing);
  }
  for (const auto& [labels, quantity] : unpriced) sums[{labels, ""}].unpriced = quantity;
  return sums;
}

}  // namespace gauger::exporters
