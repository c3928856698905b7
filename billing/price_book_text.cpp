// Price books as canonical YAML: the same book is always the same text.
#include "billing/price_book.h"
#include "schemas/money.h"

namespace gauger::billing {
namespace {

std::string clock(int32_t minute) {
  const auto two = [](int32_t value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  return "\"" + two(minute / 60) + ":" + two(minute % 60) + "\"";
}

std::string quoted(const UnitPrice& unit, Per per) {
  return format_decimal(Int128{unit.pico} * (unit.units == 1 ? units_of(per) : 1));
}

// The price in words; `entry_per` is what the entry says for all its prices.
std::string price_text(const std::optional<Price>& price, Per entry_per) {
  if (!price) return "unpriced";
  const auto per = price->per == entry_per ? "" : ", per: " + std::string(to_string(price->per));
  switch (price->schedule) {
    case Schedule::flat:
      if (per.empty()) return quoted(price->unit, price->per);
      return "{price: " + quoted(price->unit, price->per) + per + "}";
    case Schedule::package:
      return "{package: {size: " + std::to_string(price->package_size) +
             ", price: " + quoted(price->unit, Per::unit) + "}}";
    case Schedule::graduated:
    case Schedule::volume: break;
  }
  auto text = "{" + std::string(to_string(price->schedule)) + ": [";
  for (const auto& tier : price->tiers) {
    if (&tier != &price->tiers.front()) text += ", ";
    text += tier.up_to == no_upper_end ? "{" : "{up_to: " + std::to_string(tier.up_to) + ", ";
    text += "price: " + quoted(tier.price, price->per) + "}";
  }
  return text + "]" + per + "}";
}

void put_prices(std::string& out, const Prices& prices, Per per, const std::string& indent) {
  bool extras = false;
  for (const auto& price : prices) {
    const bool extra = !find_meter(price.item) && price.item != requests_item;
    if (extra && !extras) out += indent + "extras:\n";
    extras |= extra;
    out += indent + (extra ? "  " + yaml_text(price.item) : price.item) + ": " +
           price_text(price.price, per) + "\n";
  }
}

// What most prices of the entry are quoted per.
Per common_per(const PriceEntry& entry) {
  std::array<int, per_names.size()> counts{};
  for (const auto& price : entry.prices)
    if (price.price && price.price->schedule != Schedule::package)
      ++counts[static_cast<size_t>(price.price->per)];
  auto best = Per::million;
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > counts[static_cast<size_t>(best)]) best = static_cast<Per>(i);
  return best;
}

std::string service_tiers_text(ServiceTiers tiers) {
  if (tiers == every_service_tier) return "any";
  std::string text;
  int count = 0;
  for (size_t i = 0; i < service_tier_names.size(); ++i) {
    if ((tiers >> i & 1U) == 0) continue;
    if (count++ > 0) text += ", ";
    text += service_tier_names[i];
  }
  return count == 1 ? text : "[" + text + "]";
}

void put_entry(std::string& out, const PriceEntry& entry) {
  out += "  - provider: " + yaml_text(entry.provider) + "\n    model: ";
  if (entry.models.size() == 1) {
    out += entry.models.front().yaml();
  } else {
    for (const auto& model : entry.models)
      out += (&model == &entry.models.front() ? "[" : ", ") + model.yaml();
    out += "]";
  }
  out += "\n";
  if (entry.region.kind() != Pattern::Kind::any) out += "    region: " + entry.region.yaml() + "\n";
  if (entry.accelerator.kind() != Pattern::Kind::any)
    out += "    accelerator: " + entry.accelerator.yaml() + "\n";
  if (entry.service_tiers != tiers_of(ServiceTier::standard))
    out += "    service_tier: " + service_tiers_text(entry.service_tiers) + "\n";
  if (entry.from != begin_of_time)
    out += "    effective_from: " + format_instant(entry.from) + "\n";
  if (entry.until != end_of_time)
    out += "    effective_until: " + format_instant(entry.until) + "\n";
  if (entry.hours)
    out += "    hours: {from: " + clock(entry.hours->from) +
           ", until: " + clock(entry.hours->until) + "}\n";
  const auto per = common_per(entry);
  out += "    per: " + std::string(to_string(per)) + "\n";
  put_prices(out, entry.prices, per, "    ");
  if (!entry.context_above.empty()) out += "    context_above:\n";
  for (const auto& context : entry.context_above) {
    out += "      " + std::to_string(context.above) + ":\n";
    put_prices(out, context.prices, per, "        ");
  }
}

}  // namespace

std::string to_yaml(const PriceBook& book) {
  std::string out = "kind: price_book\nid: " + yaml_text(book.id) +
                    "\nversion: " + yaml_text(book.version) +
                    "\ncurrency: " + book.currency.code() + "\n";
  if (book.applies_from) out += "applies_from: " + format_instant(*book.applies_from) + "\n";
  if (book.status == BookStatus::proposed) out += "status: proposed\n";
  if (!book.accepted_by.empty()) out += "accepted_by: " + yaml_text(book.accepted_by) + "\n";
  if (!book.accepted_because.empty())
    out += "accepted_because: " + yaml_text(book.accepted_because) + "\n";
  if (!book.context_boundaries.empty()) {
    out += "context_boundaries: [";
    for (const auto boundary : book.context_boundaries)
      out += (boundary == book.context_boundaries.front() ? "" : ", ") + std::to_string(boundary);
    out += "]\n";
  }
  out += "prices:\n";
  for (const auto& entry : book.entries) put_entry(out, entry);
  return out;
}

}  // namespace gauger::billing
