// Reading one price entry. The checks of whole books are in price_book.cpp.
#include <algorithm>

#include "billing/price_book.h"
#include "schemas/limits.h"
#include "schemas/money.h"

namespace gauger::billing {
namespace {

constexpr size_t tiers_max = 100;
constexpr size_t extras_priced_max = 100;
// A million of the currency per single unit: dearer is a typing error, and cheaper keeps every
// product of price and count in 128 bits.
constexpr Int128 unit_price_pico_max = Int128{1'000'000} * pico_per_unit;

struct Reader {
  std::string_view file;
  std::optional<Per> per;  // of the entry; prices may say their own

  Result<Per> read_per(const Node& node) const {
    TRY(const auto text, read_text(file, node, "per"));
    const auto found = find_name<Per>(per_names, text);
    if (!found)
      return document_error(file, node.line,
                            "'per: " + text + "' is none of unit, thousand, million, hour");
    return *found;
  }

  Result<UnitPrice> read_unit_price(const Node& node, Per quoted) const {
    TRY(const auto value, read_decimal(file, node, money_digits));
    if (value < 0) return document_error(file, node.line, "a price is not negative");
    const auto units = units_of(quoted);
    if (value / units > unit_price_pico_max)
      return document_error(file, node.line,
                            "'" + node.text + "' is more than a million per single unit");
    if (value % units == 0) return UnitPrice{static_cast<int64_t>(value / units), 1};
    if (quoted != Per::hour)
      return document_error(file, node.line,
                            "'" + node.text + "' per " + std::string(to_string(quoted)) +
                                " has more than 12 digits behind the point per single unit");
    if (value > Int128{std::numeric_limits<int64_t>::max()})
      return document_error(file, node.line, "'" + node.text + "' per hour is too large");
    return UnitPrice{static_cast<int64_t>(value), units};
  }

  Result<Per> per_of(Fields& fields) const {
    if (const auto* own = fields.optional("per")) return read_per(*own);
    if (!per)
      return fields.error("'per' is missing: is the price per unit, thousand, million or hour?");
    return *per;
  }

  Result<std::vector<PriceTier>> read_tiers(const Node& list, Per quoted) const {
    if (list.kind != Node::Kind::list || list.items.empty() || list.items.size() > tiers_max)
      return document_error(file, list.line,
                            "tiers are a list of 1 to " + std::to_string(tiers_max) + " entries");
    std::vector<PriceTier> tiers;
    for (const auto& item : list.items) {
      TRY(auto fields, Fields::of(file, item, "a tier"));
      TRY(const auto* price, fields.required("price"));
      const auto* up_to = fields.optional("up_to");
      TRY(fields.finish());
      PriceTier tier;
      TRY(tier.price, read_unit_price(*price, quoted));
      const bool last = &item == &list.items.back();
      if (last != (up_to == nullptr))
        return document_error(file, item.line,
                              "every tier but the last says 'up_to', and the last does not");
      if (up_to != nullptr) {
        TRY(tier.up_to, read_integer(file, *up_to, 1, limits::meter_total_max));
        if (!tiers.empty() && tier.up_to <= tiers.back().up_to)
          return document_error(file, up_to->line, "tiers ascend");
      }
      tiers.push_back(tier);
    }
    return tiers;
  }

  Result<Price> read_price_map(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "a price"));
    Price price;
    TRY(price.per, per_of(fields));
    const auto* flat = fields.optional("price");
    const auto* graduated = fields.optional("graduated");
    const auto* volume = fields.optional("volume");
    const auto* package = fields.optional("package");
    TRY(fields.finish());
    const auto given =
        (flat != nullptr) + (graduated != nullptr) + (volume != nullptr) + (package != nullptr);
    if (given != 1)
      return fields.error("a price is one of 'price', 'graduated', 'volume' or 'package'");
    if (flat != nullptr) {
      TRY(price.unit, read_unit_price(*flat, price.per));
    } else if (package != nullptr) {
      TRY(auto parts, Fields::of(file, *package, "a package"));
      TRY(const auto* size, parts.required("size"));
      TRY(const auto* amount, parts.required("price"));
      TRY(parts.finish());
      price.schedule = Schedule::package;
      price.per = Per::unit;
      TRY(price.package_size, read_integer(file, *size, 1, limits::meter_total_max));
      TRY(price.unit, read_unit_price(*amount, Per::unit));
    } else {
      price.schedule = graduated != nullptr ? Schedule::graduated : Schedule::volume;
      TRY(price.tiers, read_tiers(graduated != nullptr ? *graduated : *volume, price.per));
    }
    return price;
  }

  Result<std::optional<Price>> read_price(const Node& node, std::string_view item) const {
    if (node.kind == Node::Kind::scalar && node.text == "unpriced" && !node.quoted)
      return std::optional<Price>();
    Price price;
    if (node.kind == Node::Kind::map) {
      TRY(price, read_price_map(node));
    } else {
      if (!per)
        return document_error(
            file, node.line, "'per' is missing: is the price per unit, thousand, million or hour?");
      price.per = *per;
      TRY(price.unit, read_unit_price(node, *per));
    }
    if (price.per == Per::hour && item != to_string(Meter::compute_us))
      return document_error(file, node.line,
                            "only compute_us is priced per hour, not " + std::string(item));
    return std::optional(price);
  }

  // Meters, requests and extras of a map that may hold other keys too.
  Result<Prices> read_prices(Fields& fields) const {
    Prices prices;
    const auto add = [&](const Node& node, std::string_view item) -> Result<void> {
      TRY(auto price, read_price(node, item));
      prices.push_back({std::string(item), std::move(price)});
      return success();
    };
    for (const auto meter : meter_names)
      if (const auto* node = fields.optional(meter)) {
        TRY(add(*node, meter));
      }
    if (const auto* node = fields.optional(requests_item)) {
      TRY(add(*node, requests_item));
    }
    if (const auto* extras = fields.optional("extras")) {
      if (extras->kind != Node::Kind::map || extras->members.size() > extras_priced_max)
        return fields.error(*extras, "'extras' is a map of at most " +
                                         std::to_string(extras_priced_max) + " names and prices");
      for (const auto& member : extras->members) {
        if (find_meter(member.name) || member.name == requests_item)
          return document_error(file, member.line,
                                "'" + member.name + "' is a meter, it does not stand in 'extras'");
        TRY(add(member.value, member.name));
      }
    }
    sort_items(prices);
    return prices;
  }

  Result<int32_t> read_minute(const Node& node) const {
    TRY(const auto text, read_text(file, node, "a time of day"));
    const auto instant = text.size() == 5 ? parse_instant("1970-01-01T" + text + ":00Z")
                                          : Result<Instant>(invalid_argument(""));
    if (text == "24:00") return minutes_per_day;
    if (!instant.has_value())
      return document_error(file, node.line, "'" + text + "' is not a time of day such as 16:30");
    return static_cast<int32_t>(to_us(instant.value()) / 60'000'000);
  }

  Result<DayWindow> read_hours(const Node& node) const {
    TRY(auto fields, Fields::of(file, node, "'hours'"));
    TRY(const auto* from, fields.required("from"));
    TRY(const auto* until, fields.required("until"));
    TRY(fields.finish());
    DayWindow window{};
    TRY(window.from, read_minute(*from));
    TRY(window.until, read_minute(*until));
    if (window.from == window.until || window.from == minutes_per_day)
      return document_error(file, node.line, "the hours are empty: 'from' is 'until'");
    return window;
  }

  Result<ServiceTiers> read_service_tiers(const Node& node) const {
    const auto one = [&](const Node& item) -> Result<ServiceTiers> {
      TRY(const auto text, read_text(file, item, "service_tier"));
      if (text == "any") return every_service_tier;
      const auto tier = find_name<ServiceTier>(service_tier_names, text);
      if (!tier)
        return document_error(file, item.line,
                              "'" + text.substr(0, 64) +
                                  "' is no service tier: standard, batch, "
                                  "flex, priority, provisioned or any");
      return tiers_of(*tier);
    };
    if (node.kind != Node::Kind::list) return one(node);
    ServiceTiers tiers = 0;
    for (const auto& item : node.items) {
      TRY(const auto tier, one(item));
      tiers = static_cast<ServiceTiers>(tiers | tier);
    }
    if (tiers == 0) return document_error(file, node.line, "'service_tier' is an empty list");
    return tiers;
  }

  // Above a boundary all token prices are said again, so that none is forgotten; prices of
  // other items do not depend on the input and carry over.
  Result<void> complete(const Node& at, const PriceEntry& entry, ContextPrices& context) const {
    for (const auto& base : entry.prices) {
      if (find_item(context.prices, base.item) != nullptr) continue;
      const auto meter = find_meter(base.item);
      if (meter && static_cast<size_t>(*meter) < token_meter_count && base.price)
        return document_error(file, at.line,
                              "above " + std::to_string(context.above) + " tokens the price of " +
                                  base.item +
                                  " is missing: say it even where it is the same, or "
                                  "say 'unpriced'");
      context.prices.push_back(base);
    }
    sort_items(context.prices);
    return success();
  }

  Result<void> read_context(const Node& node, PriceEntry& entry) const {
    if (node.kind != Node::Kind::map || node.members.empty() ||
        node.members.size() > limits::context_boundaries_max)
      return document_error(file, node.line,
                            "'context_above' maps 1 to " +
                                std::to_string(limits::context_boundaries_max) +
                                " boundaries to prices");
    for (const auto& member : node.members) {
      ContextPrices context{};
      Node boundary{.kind = Node::Kind::scalar, .line = member.line, .text = member.name};
      TRY(context.above, read_integer(file, boundary, 1, limits::count_max));
      TRY(auto fields, Fields::of(file, member.value, "prices above a boundary"));
      TRY(context.prices, read_prices(fields));
      TRY(fields.finish());
      TRY(complete(member.value, entry, context));
      entry.context_above.push_back(std::move(context));
    }
    auto& all = entry.context_above;
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.above < b.above; });
    for (size_t i = 1; i < all.size(); ++i)
      if (all[i].above == all[i - 1].above)
        return document_error(file, node.line,
                              "the boundary " + std::to_string(all[i].above) + " stands twice");
    return success();
  }

  Result<PriceEntry> read_entry(const Node& node, std::string_view provider) {
    TRY(auto fields, Fields::of(file, node, "a price entry"));
    PriceEntry entry;
    entry.line = node.line;
    if (provider.empty()) {
      TRY(entry.provider, fields.text("provider"));
    } else {
      TRY(entry.provider, fields.text_or("provider", provider));
    }
    TRY(const auto* models, fields.required("model"));
    TRY(entry.models, read_patterns(file, *models));
    if (const auto* region = fields.optional("region")) {
      TRY(entry.region, read_pattern(file, *region));
    }
    if (const auto* accelerator = fields.optional("accelerator")) {
      TRY(entry.accelerator, read_pattern(file, *accelerator));
    }
    if (const auto* tiers = fields.optional("service_tier")) {
      TRY(entry.service_tiers, read_service_tiers(*tiers));
    }
    TRY(const auto from, fields.instant("effective_from"));
    TRY(const auto until, fields.instant("effective_until"));
    entry.from = from.value_or(begin_of_time);
    entry.until = until.value_or(end_of_time);
    if (entry.from >= entry.until) return fields.error("the entry ends before it begins");
    if (const auto* hours = fields.optional("hours")) {
      TRY(entry.hours, read_hours(*hours));
    }
    per.reset();
    if (const auto* quoted = fields.optional("per")) {
      TRY(per, read_per(*quoted));
    }
    TRY(entry.prices, read_prices(fields));
    if (const auto* context = fields.optional("context_above")) {
      TRY(read_context(*context, entry));
    }
    TRY(fields.finish());
    if (entry.prices.empty()) return fields.error("the entry prices nothing");
    return entry;
  }
};

}  // namespace

Result<std::vector<PriceEntry>> read_price_entries(std::string_view file,
                                                   std::span<const Node> list,
                                                   std::string_view provider) {
  std::vector<PriceEntry> entries;
  entries.reserve(list.size());
  Reader reader{file, std::nullopt};
  for (const auto& node : list) {
    TRY(auto entry, reader.read_entry(node, provider));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace gauger::billing
