#include "billing/model_catalog.h"

namespace gauger::billing {
namespace {

// Ties are looked for between all pairs, when the document is read.
constexpr size_t entries_max = 10'000;

std::string scope_of(const CatalogEntry& entry, const Pattern& model) {
  return entry.provider.yaml() + "\n" + model.yaml();
}

Result<CatalogEntry> read_entry(std::string_view file, const Node& node) {
  TRY(auto fields, Fields::of(file, node, "a model"));
  CatalogEntry entry;
  entry.line = node.line;
  TRY(const auto* provider, fields.required("provider"));
  TRY(entry.provider, read_pattern(file, *provider));
  TRY(const auto* models, fields.required("model"));
  TRY(entry.models, read_patterns(file, *models));
  TRY(entry.tier, fields.text("tier"));
  TRY(const auto from, fields.instant("effective_from"));
  TRY(const auto until, fields.instant("effective_until"));
  TRY(fields.finish());
  entry.from = from.value_or(begin_of_time);
  entry.until = until.value_or(end_of_time);
  if (entry.from >= entry.until) return fields.error("the entry ends before it begins");
  return entry;
}

Error tie(const ModelCatalog& catalog, std::string_view provider, std::string_view model,
          const Slot& slot) {
  auto error =
      document_error(catalog.file, catalog.entries[slot.tied_b].line,
                     "the model " + std::string(provider) + " " + std::string(model) +
                         " matches this entry and the one at line " +
                         std::to_string(catalog.entries[slot.tied_a].line) + " equally well");
  error.code = ErrorCode::conflict;
  return error;
}

}  // namespace

Result<ModelCatalog> parse_model_catalog(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_model_catalog(root, file);
}

Result<ModelCatalog> read_model_catalog(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "a model catalogue"));
  ModelCatalog catalog;
  TRY(read_heading(fields, "model_catalog", catalog));
  TRY(const auto models, fields.list("models"));
  if (models.empty() || models.size() > entries_max)
    return fields.error("a model catalogue has 1 to " + std::to_string(entries_max) + " 'models'");
  TRY(fields.finish());
  for (const auto& node : models) {
    TRY(auto entry, read_entry(file, node));
    catalog.entries.push_back(std::move(entry));
  }
  for (size_t i = 0; i < catalog.entries.size(); ++i)
    for (const auto& model : catalog.entries[i].models) {
      const auto slots = tiers_in_force(catalog, catalog.entries[i].provider.text(), model.text());
      for (const auto& segment : slots)
        for (const auto& slot : segment.slots)
          if (slot.index == tie_applies)
            return tie(catalog, catalog.entries[i].provider.text(), model.text(), slot);
    }
  return catalog;
}

std::vector<Segment> tiers_in_force(const ModelCatalog& catalog, std::string_view provider,
                                    std::string_view model) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < catalog.entries.size(); ++i) {
    const auto& entry = catalog.entries[i];
    if (!entry.provider.matches(provider)) continue;
    const Pattern* best = nullptr;
    for (const auto& pattern : entry.models)
      if (pattern.matches(model) &&
          (best == nullptr || pattern.specificity() > best->specificity()))
        best = &pattern;
    if (best == nullptr) continue;
    candidates.push_back({.index = i,
                          .rank = {best->specificity(), entry.provider.specificity(), 0, 0, 0},
                          .scope = scope_of(entry, *best),
                          .from = entry.from,
                          .until = entry.until,
                          .window = std::nullopt});
  }
  return order_by_precedence(candidates);
}

Result<std::string> model_tier(const ModelCatalog& catalog, std::string_view provider,
                               std::string_view model, Instant at) {
  for (const auto& segment : tiers_in_force(catalog, provider, model)) {
    if (!segment.interval.contains(at)) continue;
    const auto& slot = segment.slots.front();
    if (slot.index == tie_applies) return tie(catalog, provider, model, slot);
    if (slot.index == nothing_applies) break;
    return catalog.entries[static_cast<size_t>(slot.index)].tier;
  }
  return std::string(unclassified);
}

}  // namespace gauger::billing
