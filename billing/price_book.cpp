#include "billing/price_book.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "schemas/limits.h"
#include "schemas/money.h"

namespace gauger::billing {
namespace {

constexpr size_t entries_max = 200'000;
// Versions of one price: a change every day for years.
constexpr size_t versions_max = 2'000;

std::string date_of(Instant instant) {
  if (instant == begin_of_time) return "ever";
  auto text = format_instant(instant);
  if (text.ends_with("T00:00:00Z")) text.resize(10);
  return text;
}

// What versions of one entry have in common, for one of its models.
std::string scope_of(const PriceEntry& entry, const Pattern& model) {
  const auto part = [](const Pattern& pattern) {
    return std::to_string(static_cast<int>(pattern.kind())) + pattern.text() + "\n";
  };
  return entry.provider + "\n" + part(model) + part(entry.region) + part(entry.accelerator) +
         std::to_string(entry.service_tiers);
}

bool overlap(const std::optional<DayWindow>& a, const std::optional<DayWindow>& b) {
  if (!a || !b) return a.has_value() == b.has_value();  // a window goes before no window
  return a->contains(b->from) || b->contains(a->from);
}

// Two entries of one scope contradict each other where they begin at once, where a stated end
// lies beyond the other's begin, or where their hours overlap without being the same.
bool contradict(const PriceEntry& a, const PriceEntry& b) {
  if (!overlap(a.hours, b.hours)) return false;
  const bool together = a.from < b.until && b.from < a.until;
  if (!together) return false;
  if (a.hours != b.hours || a.from == b.from) return true;
  const auto& earlier = a.from < b.from ? a : b;
  return earlier.until != end_of_time;
}

}  // namespace

std::string PriceEntry::label() const {
  auto text = provider + " " + models.front().text();
  if (models.front().kind() == Pattern::Kind::any) text += "*";
  if (models.front().kind() == Pattern::Kind::prefix) text += "*";
  if (models.size() > 1) text += " and " + std::to_string(models.size() - 1) + " more";
  if (region.kind() != Pattern::Kind::any) text += " in " + region.text();
  if (accelerator.kind() != Pattern::Kind::any) text += " on " + accelerator.text();
  if (service_tiers == every_service_tier) {
    text += " any tier";
  } else if (service_tiers != tiers_of(ServiceTier::standard)) {
    for (size_t i = 0; i < service_tier_names.size(); ++i)
      if ((service_tiers >> i & 1U) != 0) text += " " + std::string(service_tier_names[i]);
  }
  if (from != begin_of_time) text += " from " + date_of(from);
  if (hours) {
    const auto clock = [](int32_t minute) {
      auto hour = std::to_string(minute / 60);
      auto rest = std::to_string(minute % 60);
      return (hour.size() < 2 ? "0" : "") + hour + ":" + (rest.size() < 2 ? "0" : "") + rest;
    };
    text += " at " + clock(hours->from) + "-" + clock(hours->until);
  }
  return text;
}

Result<void> check_price_entries(std::string_view file, const std::vector<PriceEntry>& entries) {
  std::unordered_map<std::string, std::vector<const PriceEntry*>> by_scope;
  for (const auto& entry : entries) {
    for (const auto& model : entry.models) {
      auto& others = by_scope[scope_of(entry, model)];
      for (const auto* other : others) {
        if (other == &entry)
          return document_error(file, entry.line,
                                "the model '" + model.text() + "' stands twice in one entry");
        if (!contradict(*other, entry)) continue;
        auto error = document_error(file, entry.line,
                                    "'" + entry.label() + "' contradicts the entry at line " +
                                        std::to_string(other->line) +
                                        ": both price the same usage at the same time");
        error.code = ErrorCode::conflict;
        return error;
      }
      if (others.size() == versions_max)
        return document_error(
            file, entry.line,
            "'" + entry.label() + "' has more than " + std::to_string(versions_max) + " versions");
      others.push_back(&entry);
    }
  }
  return success();
}

std::vector<int64_t> boundaries_of(const std::vector<PriceEntry>& entries) {
  std::vector<int64_t> boundaries;
  for (const auto& entry : entries)
    for (const auto& context : entry.context_above) boundaries.push_back(context.above);
  std::sort(boundaries.begin(), boundaries.end());
  boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
  return boundaries;
}

namespace {

// The boundaries that the document declares guard against a mistyped one in an entry.
Result<void> check_boundaries(Fields& fields, const PriceBook& book) {
  const auto* declared = fields.optional("context_boundaries");
  if (declared == nullptr) return success();
  if (declared->kind != Node::Kind::list)
    return fields.error(*declared, "'context_boundaries' is a list");
  std::vector<int64_t> known;
  for (const auto& node : declared->items) {
    TRY(const auto boundary, read_integer(book.file, node, 1, limits::count_max));
    known.push_back(boundary);
  }
  for (const auto& entry : book.entries)
    for (const auto& context : entry.context_above)
      if (std::find(known.begin(), known.end(), context.above) == known.end())
        return document_error(book.file, entry.line,
                              "the boundary " + std::to_string(context.above) +
                                  " is not among the book's context_boundaries");
  return success();
}

Result<void> read_status(Fields& fields, PriceBook& book) {
  TRY(const auto status, fields.text_or("status", "accepted"));
  if (status != "accepted" && status != "proposed")
    return fields.error("'status: " + status + "' is neither accepted nor proposed");
  book.status = status == "accepted" ? BookStatus::accepted : BookStatus::proposed;
  TRY(book.accepted_by, fields.text_or("accepted_by", ""));
  TRY(book.accepted_because, fields.text_or("accepted_because", ""));
  return success();
}

}  // namespace

Result<PriceBook> parse_price_book(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_price_book(root, file);
}

Result<PriceBook> read_price_book(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "a price book"));
  PriceBook book;
  TRY(read_heading(fields, "price_book", book));
  TRY(const auto currency, fields.text("currency"));
  const auto found = Currency::find(currency);
  if (!found.has_value()) return fields.error(found.error().sentence);
  book.currency = found.value();
  TRY(read_status(fields, book));
  TRY(const auto prices, fields.list("prices"));
  if (prices.empty() || prices.size() > entries_max)
    return fields.error("a price book has 1 to " + std::to_string(entries_max) + " 'prices'");
  TRY(book.entries, read_price_entries(file, prices, ""));
  TRY(check_boundaries(fields, book));
  TRY(fields.finish());
  TRY(check_price_entries(file, book.entries));
  book.context_boundaries = boundaries_of(book.entries);
  return book;
}

std::vector<Segment> entries_in_force(const PriceBook& book, const PriceKey& key) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < book.entries.size(); ++i) {
    const auto& entry = book.entries[i];
    if (entry.provider != key.provider || (entry.service_tiers & tiers_of(key.service_tier)) == 0 ||
        !entry.region.matches(key.region) || !entry.accelerator.matches(key.accelerator))
      continue;
    const Pattern* best = nullptr;
    for (const auto& model : entry.models)
      if (model.matches(key.model) &&
          (best == nullptr || model.specificity() > best->specificity()))
        best = &model;
    if (best == nullptr) continue;
    const auto tiers_left_out =
        static_cast<int>(service_tier_names.size()) - std::popcount(unsigned{entry.service_tiers});
    candidates.push_back(
        {.index = i,
         .rank = {best->specificity(), entry.region.specificity(), entry.accelerator.specificity(),
                  tiers_left_out, entry.hours ? 1 : 0},
         .scope = scope_of(entry, *best),
         .from = entry.from,
         .until = entry.until,
         .window = entry.hours});
  }
  return order_by_precedence(candidates);
}

const Prices& prices_for_input(const PriceEntry& entry, int64_t input_tokens) {
  const auto* prices = &entry.prices;
  for (const auto& context : entry.context_above)
    if (input_tokens > context.above) prices = &context.prices;
  return *prices;
}

void sort_items(Prices& prices) {
  const auto position = [](const ItemPrice& price) {
    if (const auto meter = find_meter(price.item)) return static_cast<size_t>(*meter);
    return price.item == requests_item ? meter_count : meter_count + 1;
  };
  std::sort(prices.begin(), prices.end(), [&](const ItemPrice& a, const ItemPrice& b) {
    return std::pair(position(a), std::string_view(a.item)) <
           std::pair(position(b), std::string_view(b.item));
  });
}

const ItemPrice* find_item(const Prices& prices, std::string_view item) {
  for (const auto& price : prices)
    if (price.item == item) return &price;
  return nullptr;
}

namespace {

Rational amount_at(const UnitPrice& price, Int128 quantity) {
  return Rational::ratio(checked_multiply(quantity, price.pico), price.units);
}

Rational graduated_amount(const std::vector<PriceTier>& tiers, Int128 quantity) {
  Rational amount;
  Int128 below = 0;
  for (const auto& tier : tiers) {
    const auto reached = std::min(quantity, Int128{tier.up_to});
    amount += amount_at(tier.price, reached - below);
    below = reached;
    if (below == quantity) break;
  }
  return amount;
}

}  // namespace

Rational amount_of(const Price& price, Int128 quantity) {
  if (price.schedule == Schedule::flat) return amount_at(price.unit, quantity);
  VERIFY(quantity >= 0, "schedules count upwards from zero");
  if (price.schedule == Schedule::package)
    return amount_at(price.unit,
                     quantity / price.package_size + (quantity % price.package_size != 0 ? 1 : 0));
  if (price.schedule == Schedule::graduated) return graduated_amount(price.tiers, quantity);
  const auto reached = std::find_if(price.tiers.begin(), price.tiers.end(),
                                    [&](const PriceTier& tier) { return quantity <= tier.up_to; });
  // The last tier has no upper end, but a sum may exceed 63 bits.
  return amount_at((reached == price.tiers.end() ? price.tiers.back() : *reached).price, quantity);
}

std::string price_label(const Price& price) {
  const auto quoted = [&](const UnitPrice& unit, Per per) {
    const auto pico = Int128{unit.pico} * (unit.units == 1 ? units_of(per) : 1);
    return format_decimal(pico) + " per " + std::string(to_string(per));
  };
  switch (price.schedule) {
    case Schedule::flat: return quoted(price.unit, price.per);
    case Schedule::package:
      return format_decimal(price.unit.pico) + " per " + std::to_string(price.package_size);
    case Schedule::graduated:
    case Schedule::volume: break;
  }
  std::string text(to_string(price.schedule));
  for (const auto& tier : price.tiers) text += " " + quoted(tier.price, price.per);
  return text;
}

}  // namespace gauger::billing
