// Collects entries of an imported catalogue and notes what happened to it. Private to
// billing/catalogs.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "billing/catalogs/catalog_import.h"

namespace gauger::billing {

// Prices of one model above one boundary; 0 is the base.
using PricesByContext = std::map<int64_t, Prices>;

class BookBuilder {
 public:
  explicit BookBuilder(const ImportOptions& options);

  void note(const std::string& sentence, const std::string& what) {
    imported_.notes[sentence].push_back(what);
  }
  void count_model() { ++imported_.models; }

  // A price as written, in pico-units per single unit; nothing where it cannot be taken over.
  std::optional<Price> price(std::string_view text, Per per, const std::string& what);

  // Adds an entry without the patterns that an earlier one of the same scope already has.
  void add(PriceEntry entry, const std::string& model);

  Result<ImportedCatalog> finish();

  const ImportOptions& options() const { return options_; }

 private:
  // Whether the ledger tells its context tiers apart.
  bool kept(const PriceEntry& entry) const;

  const ImportOptions& options_;
  ImportedCatalog imported_;
  std::map<std::string, size_t> scopes_;  // -> entry
};

void set_price(Prices& prices, std::string_view item, std::optional<Price> price);

// Base and contexts of an entry: an item that a context leaves out keeps the price below it.
void put_contexts(PriceEntry& entry, const PricesByContext& contexts);

Result<ImportedCatalog> import_litellm(std::string_view text, const ImportOptions& options);
Result<ImportedCatalog> import_genai_prices(std::string_view text, const ImportOptions& options);
Result<ImportedCatalog> import_models_dev(std::string_view text, const ImportOptions& options);

}  // namespace gauger::billing
