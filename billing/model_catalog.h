// The model catalogue: which tier (frontier, standard, small, distilled, embedding, or the
// company's own words) a provider's model belongs to, dated. Reports, quotas and invoices speak
// of tiers; a charge keeps the tier that was in force when its usage began. Values; no threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/pattern.h"
#include "billing/precedence.h"

namespace gauger::billing {

// The tier of a model that the catalogue does not know.
inline constexpr std::string_view unclassified = "unclassified";

struct CatalogEntry {
  int line = 0;
  Pattern provider;
  std::vector<Pattern> models;
  std::string tier;
  Instant from = begin_of_time;
  Instant until = end_of_time;
};

struct ModelCatalog {
  std::string file;
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  std::vector<CatalogEntry> entries;
};

Result<ModelCatalog> parse_model_catalog(std::string_view text, std::string_view file);
Result<ModelCatalog> read_model_catalog(const Node& root, std::string_view file);

// Slot::index counts ModelCatalog::entries; windows of the day play no part.
std::vector<Segment> tiers_in_force(const ModelCatalog& catalog, std::string_view provider,
                                    std::string_view model);
// conflict where two entries match equally well.
Result<std::string> model_tier(const ModelCatalog& catalog, std::string_view provider,
                               std::string_view model, Instant at);

}  // namespace gauger::billing
