#include "billing/catalogs/book_builder.h"

#include <algorithm>

#include "schemas/money.h"

namespace gauger::billing {
namespace {

// Digits behind the point that a catalogue's number may have: doubles print up to 23.
constexpr int digits_read = 30;
// Dirt of doubles lies near 10^-16 of the price; a rounding beyond a millionth is no dirt.
constexpr int64_t dirt_parts = 1'000'000;

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

}  // namespace

BookBuilder::BookBuilder(const ImportOptions& options) : options_(options) {
  auto& book = imported_.book;
  book.file = options.file;
  book.id = options.id;
  book.version = options.version;
  book.currency = Currency::find("USD").value();  // all three catalogues quote dollars
  book.status = BookStatus::proposed;
}

std::optional<Price> BookBuilder::price(std::string_view text, Per per, const std::string& what) {
  const auto value = parse_decimal(text, digits_read);
  if (!value.has_value()) {
    note("left out: not a number that can be a price", what + " " + std::string(text));
    return std::nullopt;
  }
  if (value.value() < 0) {
    note("left out: below zero", what + " " + std::string(text));
    return std::nullopt;
  }
  const auto exact = Rational(value.value()) / Rational(power_of_ten(digits_read - money_digits)) /
                     Rational(Int128{units_of(per)});
  const auto rounded = exact.rounded(Rounding::half_even);
  Price price;
  price.per = per;
  if (!exact.is_whole()) {
    const auto error = exact - Rational(rounded);
    const auto magnitude = error.is_negative() ? -error : error;
    if (magnitude * Rational(Int128{dirt_parts}) > exact) {
      note("left out: finer than 10^-12 per single unit", what + " " + std::string(text));
      return std::nullopt;
    }
    note("rounded to 10^-12 per single unit",
         what + " " + std::string(text) + " -> " + format_decimal(rounded));
  }
  if (rounded > Int128{1'000'000} * pico_per_unit) {
    note("left out: more than a million per single unit", what + " " + std::string(text));
    return std::nullopt;
  }
  price.unit = {static_cast<int64_t>(rounded), 1};
  return price;
}

bool BookBuilder::kept(const PriceEntry& entry) const {
  const auto& known = options_.context_boundaries;
  return !known || std::all_of(entry.context_above.begin(), entry.context_above.end(),
                               [&](const ContextPrices& context) {
                                 return std::find(known->begin(), known->end(), context.above) !=
                                        known->end();
                               });
}

void BookBuilder::add(PriceEntry entry, const std::string& model) {
  if (entry.prices.empty()) {
    note("left out: no price of a known meter", model);
    return;
  }
  // Still an entry: without it an older price would stay in force.
  if (!kept(entry)) {
    note("left unpriced: changes above a context boundary that the ledger does not keep", model);
    entry.context_above.clear();
    for (auto& price : entry.prices) price.price.reset();
  }
  auto& entries = imported_.book.entries;
  std::erase_if(entry.models, [&](const Pattern& pattern) {
    const auto scope = entry.provider + "\n" + pattern.yaml() + "\n" + entry.region.yaml() + "\n" +
                       std::to_string(entry.service_tiers) + "\n" +
                       std::to_string(to_us(entry.from)) + "\n" +
                       (entry.hours ? std::to_string(entry.hours->from) : "");
    const auto [first, added] = scopes_.try_emplace(scope, entries.size());
    if (added) return false;
    const bool same = first->second < entries.size() &&
                      entries[first->second].prices == entry.prices &&
                      entries[first->second].context_above == entry.context_above;
    note(same ? "stands twice with the same prices"
              : "stands twice with different prices: the first is kept",
         entry.provider + " " + pattern.text());
    return true;
  });
  if (!entry.models.empty()) entries.push_back(std::move(entry));
}

Result<ImportedCatalog> BookBuilder::finish() {
  auto& book = imported_.book;
  if (book.entries.empty()) return document_error(options_.file, 0, "no model with a price");
  TRY(check_price_entries(options_.file, book.entries));
  book.context_boundaries = boundaries_of(book.entries);
  return std::move(imported_);
}

void set_price(Prices& prices, std::string_view item, std::optional<Price> price) {
  if (!price) return;
  const auto found = std::find_if(prices.begin(), prices.end(),
                                  [&](const ItemPrice& other) { return other.item == item; });
  if (found != prices.end()) {
    found->price = std::move(price);
  } else {
    prices.push_back({std::string(item), std::move(price)});
  }
}

void put_contexts(PriceEntry& entry, const PricesByContext& contexts) {
  Prices below;
  for (const auto& [above, stated] : contexts) {
    auto prices = stated;
    for (const auto& price : below)
      if (find_item(prices, price.item) == nullptr) prices.push_back(price);
    sort_items(prices);
    below = prices;
    if (above == 0) {
      entry.prices = std::move(prices);
    } else {
      entry.context_above.push_back({above, std::move(prices)});
    }
  }
}

Result<ImportedCatalog> import_catalog(CatalogFormat format, std::string_view text,
                                       const ImportOptions& options) {
  switch (format) {
    case CatalogFormat::litellm: return import_litellm(text, options);
    case CatalogFormat::genai_prices: return import_genai_prices(text, options);
    case CatalogFormat::models_dev: return import_models_dev(text, options);
  }
  return invalid_argument("unknown catalogue format");
}

std::string notes_text(const ImportedCatalog& imported) {
  constexpr size_t examples_shown = 3;
  std::string text = std::to_string(imported.models) + " models, " +
                     std::to_string(imported.book.entries.size()) + " price entries\n";
  for (const auto& [sentence, where] : imported.notes) {
    text += std::to_string(where.size()) + " " + sentence + ": ";
    for (size_t i = 0; i < where.size() && i < examples_shown; ++i)
      text += (i > 0 ? "; " : "") + where[i];
    text += where.size() > examples_shown ? "; ...\n" : "\n";
  }
  return text;
}

}  // namespace gauger::billing
