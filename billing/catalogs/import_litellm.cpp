// LiteLLM's model_prices_and_context_window.json: USD per single unit. A field is a base name
// with suffixes: base [_above_1hr] [_above_Nk_tokens] [_priority | _flex | _batches].
#include <algorithm>

#include "billing/catalogs/book_builder.h"

namespace gauger::billing {
namespace {

struct Field {
  std::string_view name;
  std::string_view item;
};
constexpr std::array<Field, 11> known_fields = {
    {{"input_cost_per_token", "input_uncached"},
     {"output_cost_per_token", "output_text"},
     {"cache_read_input_token_cost", "cache_read"},
     {"input_cost_per_token_cache_hit", "cache_read"},
     {"cache_creation_input_token_cost", "cache_write_5m"},
     {"output_cost_per_reasoning_token", "output_reasoning"},
     {"input_cost_per_audio_token", "input_audio"},
     {"output_cost_per_audio_token", "output_audio"},
     {"input_cost_per_image_token", "input_image"},
     {"output_cost_per_image", "images"},
     {"input_cost_per_request", "requests"}}};

struct Suffix {
  std::string_view text;
  ServiceTier tier;
};
constexpr std::array<Suffix, 3> tier_suffixes = {{{"_priority", ServiceTier::priority},
                                                  {"_flex", ServiceTier::flex},
                                                  {"_batches", ServiceTier::batch}}};

struct FieldName {
  std::string_view item;
  ServiceTier tier = ServiceTier::standard;
  int64_t above = 0;
};

// Takes "_above_<N>k_tokens" off the end; the boundary in tokens, 0 where there is none.
int64_t take_boundary(std::string_view& name) {
  constexpr std::string_view end = "k_tokens";
  constexpr std::string_view begin = "_above_";
  if (!name.ends_with(end)) return 0;
  const auto at = name.rfind(begin);
  if (at == std::string_view::npos) return 0;
  const auto digits = name.substr(at + begin.size(), name.size() - end.size() - at - begin.size());
  const auto thousands = parse_decimal(digits, 0);
  if (!thousands.has_value() || thousands.value() <= 0 || thousands.value() > 1'000'000) return 0;
  name = name.substr(0, at);
  return static_cast<int64_t>(thousands.value()) * 1'000;
}

std::optional<FieldName> read_name(std::string_view name) {
  FieldName field;
  for (const auto& suffix : tier_suffixes) {
    if (!name.ends_with(suffix.text)) continue;
    field.tier = suffix.tier;
    name.remove_suffix(suffix.text.size());
    break;
  }
  field.above = take_boundary(name);
  if (name == "cache_creation_input_token_cost_above_1hr") {
    field.item = "cache_write_1h";
    return field;
  }
  for (const auto& known : known_fields)
    if (known.name == name) {
      field.item = known.item;
      return field;
    }
  return std::nullopt;
}

// Read per single unit, and shown per million where it is of tokens.
std::optional<Price> shown_per_million(std::optional<Price> price, std::string_view item) {
  const auto meter = find_meter(item);
  if (price && meter && static_cast<size_t>(*meter) < token_meter_count) price->per = Per::million;
  return price;
}

bool is_price(std::string_view name) { return name.find("cost") != std::string_view::npos; }

class Importer {
 public:
  explicit Importer(const ImportOptions& options) : builder_(options) {}

  Result<ImportedCatalog> run(std::string_view text) {
    const auto& file = builder_.options().file;
    TRY(const auto root, parse_json(text, file));
    if (root.kind != Node::Kind::map)
      return document_error(file, 0, "a LiteLLM catalogue is a map of models");
    for (const auto& model : root.members)
      if (model.name != "sample_spec" && model.value.kind == Node::Kind::map)
        add_model(model.name, model.value);
    return builder_.finish();
  }

 private:
  using ByTier = std::map<ServiceTier, PricesByContext>;

  void add_model(const std::string& key, const Node& model) {
    builder_.count_model();
    const auto* provider = model.find("litellm_provider");
    if (provider == nullptr || provider->text.empty()) {
      builder_.note("left out: no provider", key);
      return;
    }
    ByTier tiers;
    for (const auto& field : model.members) add_field(tiers, field, key);
    if (const auto* ranges = model.find("tiered_pricing")) add_ranges(tiers, *ranges, key);
    const auto& prefix = provider->text + "/";
    const auto name = key.starts_with(prefix) ? key.substr(prefix.size()) : key;
    if (tiers[ServiceTier::standard].empty()) tiers.erase(ServiceTier::standard);
    if (tiers.empty()) builder_.note("left out: no price of a known meter", key);
    for (auto& [tier, contexts] : tiers) {
      if (tier != ServiceTier::standard) leave_open_above(tiers, contexts, key);
      PriceEntry entry;
      entry.provider = provider->text;
      entry.models.push_back(Pattern::exact(name));
      entry.service_tiers = tiers_of(tier);
      if (builder_.options().effective_from) entry.from = *builder_.options().effective_from;
      contexts.try_emplace(0);
      put_contexts(entry, contexts);
      builder_.add(std::move(entry), key);
    }
  }

  void add_field(ByTier& tiers, const Node::Member& field, const std::string& key) {
    if (field.name == "search_context_cost_per_query") {
      add_searches(tiers, field.value, key);
      return;
    }
    if (!is_price(field.name)) return;
    const auto name = read_name(field.name);
    const auto what = key + " " + field.name;
    if (!name || field.value.kind != Node::Kind::scalar) {
      builder_.note("left out: a price of something that is not metered", what);
      return;
    }
    auto& prices = tiers[name->tier][name->above];
    // The older name of the cache price yields to the newer one.
    if (field.name == "input_cost_per_token_cache_hit" && find_item(prices, name->item) != nullptr)
      return;
    set_price(prices, name->item,
              shown_per_million(builder_.price(field.value.text, Per::unit, what), name->item));
  }

  // Searches are priced by the size of their context, which nobody meters.
  void add_searches(ByTier& tiers, const Node& sizes, const std::string& key) {
    const auto differ = [&](const Node::Member& size) {
      return size.value.text != sizes.members.front().value.text;
    };
    if (sizes.members.empty() || std::any_of(sizes.members.begin(), sizes.members.end(), differ)) {
      builder_.note("left out: a search price that depends on the context size", key);
      return;
    }
    set_price(tiers[ServiceTier::standard][0], "web_searches",
              builder_.price(sizes.members.front().value.text, Per::unit, key + " web search"));
  }

  // [{range: [0, 32000], ...}, {range: [32000, 128000], ...}]: by the request's total input.
  void add_ranges(ByTier& tiers, const Node& ranges, const std::string& key) {
    for (const auto& range : ranges.items) {
      const auto* ends = range.find("range");
      const auto from = ends == nullptr || ends->items.empty()
                            ? Result<Int128>(invalid_argument("no range"))
                            : parse_decimal(ends->items.front().text, 0);
      if (!from.has_value() || from.value() < 0 || from.value() > 1'000'000'000) {
        builder_.note("left out: a price range that is not by tokens", key);
        continue;
      }
      for (const auto& field : range.members) {
        const auto name = is_price(field.name) ? read_name(field.name) : std::nullopt;
        if (!name) continue;
        auto price = builder_.price(field.value.text, Per::unit, key + " " + field.name);
        set_price(tiers[ServiceTier::standard][static_cast<int64_t>(from.value())], name->item,
                  shown_per_million(std::move(price), name->item));
      }
    }
  }

  // Where the standard prices change above a boundary and another tier says nothing there, its
  // prices are not known: they are left unpriced above it.
  void leave_open_above(const ByTier& tiers, PricesByContext& contexts, const std::string& key) {
    const auto standard = tiers.find(ServiceTier::standard);
    if (standard == tiers.end()) return;
    const auto base = contexts.find(0);
    if (base == contexts.end()) return;
    for (const auto& [above, prices] : standard->second) {
      if (above == 0 || contexts.contains(above)) continue;
      builder_.note("unpriced above a boundary: only the standard tier has prices there", key);
      for (const auto& price : base->second) contexts[above].push_back({price.item, std::nullopt});
    }
  }

  BookBuilder builder_;
};

}  // namespace

Result<ImportedCatalog> import_litellm(std::string_view text, const ImportOptions& options) {
  return Importer(options).run(text);
}

}  // namespace gauger::billing
