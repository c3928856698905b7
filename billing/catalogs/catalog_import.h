// Public price catalogues become price books, as proposals that somebody accepts. Decimals come
// from the text of the file; the dirt that doubles leave beyond 10^-12 per single unit is
// rounded and reported, anything coarser is left unpriced and reported. What a catalogue does
// not say is not invented. Pure: text in, book out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "billing/price_book.h"

namespace gauger::billing {

enum class CatalogFormat : uint8_t { litellm, genai_prices, models_dev };
inline constexpr std::array<std::string_view, 3> catalog_format_names = {"litellm", "genai-prices",
                                                                         "models-dev"};

struct ImportOptions {
  std::string file;  // for sentences
  std::string id;    // of the book
  std::string version;
  // From when prices apply that the catalogue does not date; ever where absent.
  std::optional<Instant> effective_from = {};
  // Those that the ledger keeps: what changes above others stays unpriced. Any where absent.
  std::optional<std::vector<int64_t>> context_boundaries = {};
};

struct ImportedCatalog {
  PriceBook book;  // proposed
  size_t models = 0;
  // What was done or left out, by sentence, with the models or fields it happened to.
  std::map<std::string, std::vector<std::string>> notes;
};

Result<ImportedCatalog> import_catalog(CatalogFormat format, std::string_view text,
                                       const ImportOptions& options);

// The notes as text: each sentence with its count and some examples.
std::string notes_text(const ImportedCatalog& imported);

}  // namespace gauger::billing
