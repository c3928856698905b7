#include "billing/catalogs/catalog_diff.h"

#include <algorithm>
#include <map>

#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

// Real price cuts go to a fifth; a tenth has always been a mistake of units.
constexpr int64_t plausible_factor = 10;
// Schedules are compared by what a million units cost.
constexpr Int128 compared_quantity = 1'000'000;

std::string scope_of(const PriceEntry& entry, const Pattern& model) {
  PriceEntry one;
  one.provider = entry.provider;
  one.models.push_back(model);
  one.region = entry.region;
  one.accelerator = entry.accelerator;
  one.service_tiers = entry.service_tiers;
  one.hours = entry.hours;
  return one.label();
}

// The version of each scope that is in force at the time, or the last one.
std::map<std::string, const PriceEntry*> versions_at(const PriceBook& book,
                                                     std::optional<Instant> at) {
  std::map<std::string, const PriceEntry*> versions;
  for (const auto& entry : book.entries) {
    if (at && (entry.from > *at || entry.until <= *at)) continue;
    for (const auto& model : entry.models) {
      auto& version = versions[scope_of(entry, model)];
      if (version == nullptr || version->from < entry.from) version = &entry;
    }
  }
  return versions;
}

std::string alarm_of(const std::optional<Price>& before, const std::optional<Price>& after) {
  if (!before || !after) return {};
  const auto old_amount = amount_of(*before, compared_quantity);
  const auto new_amount = amount_of(*after, compared_quantity);
  const Rational factor(Int128{plausible_factor});
  if (new_amount.is_zero() && !old_amount.is_zero()) return "becomes free";
  if (old_amount.is_zero() && !new_amount.is_zero()) return "was free";
  if (new_amount >= old_amount * factor && !old_amount.is_zero())
    return "rises " + std::to_string(plausible_factor) + " times or more";
  if (old_amount >= new_amount * factor && !new_amount.is_zero()) return "falls to a tenth or less";
  return {};
}

void compare_prices(const std::string& model, int64_t above, const Prices& before,
                    const Prices& after, std::vector<PriceDifference>& out) {
  std::vector<std::string_view> items;
  for (const auto& price : before) items.push_back(price.item);
  for (const auto& price : after)
    if (find_item(before, price.item) == nullptr) items.push_back(price.item);
  const auto price_of = [](const Prices& prices, std::string_view item) {
    const auto* found = find_item(prices, item);
    return found == nullptr ? std::nullopt : found->price;
  };
  for (const auto item : items) {
    const auto old_price = price_of(before, item);
    const auto new_price = price_of(after, item);
    const bool same = old_price.has_value() == new_price.has_value() &&
                      (!old_price || (old_price->schedule == new_price->schedule &&
                                      old_price->unit == new_price->unit &&
                                      old_price->package_size == new_price->package_size &&
                                      old_price->tiers == new_price->tiers));
    if (!same)
      out.push_back(
          {model, std::string(item), above, old_price, new_price, alarm_of(old_price, new_price)});
  }
}

void compare_entries(const std::string& model, const PriceEntry* before, const PriceEntry* after,
                     std::vector<PriceDifference>& out) {
  static const PriceEntry nothing;
  const auto& old_entry = before == nullptr ? nothing : *before;
  const auto& new_entry = after == nullptr ? nothing : *after;
  std::vector<int64_t> boundaries{0};
  for (const auto* entry : {&old_entry, &new_entry})
    for (const auto& context : entry->context_above) boundaries.push_back(context.above);
  std::sort(boundaries.begin(), boundaries.end());
  boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
  for (const auto boundary : boundaries) {
    const auto input = boundary == 0 ? 0 : boundary + 1;
    compare_prices(model, boundary, prices_for_input(old_entry, input),
                   prices_for_input(new_entry, input), out);
  }
}

std::string label_of(const std::optional<Price>& price) {
  return price ? price_label(*price) : "unpriced";
}

TextTable table_of(const std::vector<PriceDifference>& differences) {
  TextTable table({{"model"},
                   {"item"},
                   {"above", Align::right},
                   {"before", Align::right},
                   {"after", Align::right},
                   {"alarm"}});
  for (const auto& difference : differences)
    table.add({difference.model, difference.item,
               difference.context_above == 0 ? "" : std::to_string(difference.context_above),
               label_of(difference.before), label_of(difference.after), difference.alarm});
  return table;
}

}  // namespace

std::vector<PriceDifference> diff_books(const PriceBook& before, const PriceBook& after,
                                        std::optional<Instant> at) {
  const auto old_versions = versions_at(before, at);
  const auto new_versions = versions_at(after, at);
  std::vector<PriceDifference> differences;
  for (const auto& [model, entry] : old_versions) {
    const auto found = new_versions.find(model);
    compare_entries(model, entry, found == new_versions.end() ? nullptr : found->second,
                    differences);
  }
  for (const auto& [model, entry] : new_versions)
    if (!old_versions.contains(model)) compare_entries(model, nullptr, entry, differences);
  return differences;
}

std::string diff_table(const std::vector<PriceDifference>& differences) {
  if (differences.empty()) return "no price differs\n";
  const auto alarms =
      std::count_if(differences.begin(), differences.end(),
                    [](const auto& difference) { return !difference.alarm.empty(); });
  return table_of(differences).text() + std::to_string(differences.size()) + " differences, " +
         std::to_string(alarms) + " alarms\n";
}

std::string diff_csv(const std::vector<PriceDifference>& differences) {
  return table_of(differences).csv();
}

std::string diff_json(const std::vector<PriceDifference>& differences) {
  JsonValue root;
  root["differences"] = JsonValue::Array();
  for (const auto& difference : differences) {
    JsonValue item;
    item["model"] = difference.model;
    item["item"] = difference.item;
    item["context_above"] = difference.context_above;
    item["before"] = label_of(difference.before);
    item["after"] = label_of(difference.after);
    item["alarm"] = difference.alarm;
    root["differences"].push_back(std::move(item));
  }
  return root.canonical() + "\n";
}

Result<PriceBook> accept_book(PriceBook proposal, const PriceBook* current, std::string_view by,
                              std::string_view because) {
  if (by.empty()) return invalid_argument("who accepts the price book is not said");
  if (current != nullptr) {
    if (current->currency != proposal.currency)
      return Error{ErrorCode::refused, "the proposal is in " + proposal.currency.code() +
                                           ", the book in use in " + current->currency.code()};
    const auto differences = diff_books(*current, proposal);
    const auto alarm = std::find_if(differences.begin(), differences.end(),
                                    [](const auto& other) { return !other.alarm.empty(); });
    if (alarm != differences.end() && because.empty())
      return Error{ErrorCode::refused, "the price of " + alarm->model + " " + alarm->item + " " +
                                           alarm->alarm + " (" + label_of(alarm->before) + " -> " +
                                           label_of(alarm->after) +
                                           "): accepting such a change needs a reason"};
  }
  proposal.status = BookStatus::accepted;
  proposal.accepted_by = by;
  proposal.accepted_because = because;
  return proposal;
}

Result<PriceBook> update_book(const PriceBook& current, const PriceBook& imported, Instant from) {
  if (current.currency != imported.currency)
    return invalid_argument("the book is in " + current.currency.code() + ", the catalogue in " +
                            imported.currency.code());
  PriceBook updated = current;
  updated.version = imported.version;
  updated.status = BookStatus::proposed;
  updated.accepted_by.clear();
  updated.accepted_because.clear();
  const auto in_use = versions_at(current, from);
  const auto in_force = versions_at(imported, from);
  for (const auto& entry : imported.entries) {
    auto added = entry;
    added.from = std::max(entry.from, from);
    std::erase_if(added.models, [&](const Pattern& model) {
      const auto scope = scope_of(entry, model);
      if (entry.from > from) return false;
      const auto latest = in_force.find(scope);
      if (latest == in_force.end() || latest->second != &entry) return true;
      const auto old_entry = in_use.find(scope);
      if (old_entry == in_use.end()) return false;
      std::vector<PriceDifference> differences;
      compare_entries(scope, old_entry->second, &entry, differences);
      return differences.empty();
    });
    if (!added.models.empty()) updated.entries.push_back(std::move(added));
  }
  TRY(check_price_entries(updated.file, updated.entries));
  updated.context_boundaries = boundaries_of(updated.entries);
  return updated;
}

}  // namespace gauger::billing
