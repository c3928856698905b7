#include "billing/charge.h"

namespace gauger::billing {

std::string_view to_string(UnpricedReason reason) {
  switch (reason) {
    case UnpricedReason::no_entry: return "no price entry matches";
    case UnpricedReason::no_price: return "the matching price entry does not price it";
    case UnpricedReason::no_contract: return "no contract covers the provider account";
  }
  return {};
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
