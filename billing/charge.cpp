#include "billing/charge.h"

#include <algorithm>
#include <iterator>

namespace gauger::billing {

std::string_view to_string(UnpricedReason reason) {
  switch (reason) {
    case UnpricedReason::no_entry: return "no price entry matches";
    case UnpricedReason::no_price: return "the matching price entry does not price it";
    case UnpricedReason::no_contract: return "no contract covers the provider account";
    case UnpricedReason::no_capacity: return "no capacity record provides the accelerator";
    case UnpricedReason::no_compute_time: return "billed by compute time, and none was measured";
  }
  return {};
}

void append(Rated& rated, Rated more) {
  VERIFY(rated.currency == more.currency && more.keys.size() <= rated.keys.size(),
         "both were rated from one table in one currency");
  const auto rules = static_cast<uint32_t>(rated.rules.size());
  std::vector<uint32_t> tiers;
  for (const auto& tier : more.model_tiers) {
    const auto found = std::find(rated.model_tiers.begin(), rated.model_tiers.end(), tier);
    tiers.push_back(static_cast<uint32_t>(found - rated.model_tiers.begin()));
    if (found == rated.model_tiers.end()) rated.model_tiers.push_back(tier);
  }
  for (auto& charge : more.charges) {
    charge.rule += rules;
    charge.model_tier = tiers[charge.model_tier];
    rated.charges.push_back(std::move(charge));
  }
  std::move(more.rules.begin(), more.rules.end(), std::back_inserter(rated.rules));
  std::move(more.unpriced.begin(), more.unpriced.end(), std::back_inserter(rated.unpriced));
  std::move(more.uncertain.begin(), more.uncertain.end(), std::back_inserter(rated.uncertain));
}

std::string_view Rated::item_name(Item item) const {
  if (const auto meter = meter_of(item)) return gauger::to_string(*meter);
  if (item == item_requests) return requests_item;
  return strings[item.value - item_requests.value - 1];
}

Rational Rated::total() const {
  Rational sum;
  for (const auto& charge : charges) sum += charge.amount;
  return sum;
}

std::string unpriced_sentence(const Rated& rated, const Unpriced& unpriced) {
  const auto& key = rated.keys[unpriced.key];
  auto text = "no price for " + std::to_string(unpriced.quantity) + " " +
              std::string(rated.item_name(unpriced.item)) + " of " +
              std::string(rated.text(key.provider)) + " " + std::string(rated.text(key.model));
  if (key.service_tier != ServiceTier::standard)
    text += " in service tier " + std::string(gauger::to_string(key.service_tier));
  if (key.context_tier != 0) text += " in context tier " + std::to_string(key.context_tier);
  return text + " from " + format_instant(unpriced.from) + " (" +
         std::string(to_string(unpriced.reason)) + ")";
}

}  // namespace gauger::billing
