// models.dev, one JSON object per line: provider, model, cost in USD per million, and tiers by
// the total input of the request.
#include <algorithm>

#include "billing/catalogs/book_builder.h"

namespace gauger::billing {
namespace {

struct Field {
  std::string_view name;
  std::string_view item;
};
constexpr std::array<Field, 7> known_fields = {{{"input", "input_uncached"},
                                                {"output", "output_text"},
                                                {"cache_read", "cache_read"},
                                                {"cache_write", "cache_write_5m"},
                                                {"reasoning", "output_reasoning"},
                                                {"input_audio", "input_audio"},
                                                {"output_audio", "output_audio"}}};

class Importer {
 public:
  explicit Importer(const ImportOptions& options) : builder_(options) {}

  Result<ImportedCatalog> run(std::string_view text) {
    const auto& file = builder_.options().file;
    for (int number = 1; !text.empty(); ++number) {
      const auto end = std::min(text.find('\n'), text.size());
      const auto line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.empty()) continue;
      const auto where = file + ":" + std::to_string(number);
      TRY(const auto model, parse_json(line, where));
      const auto* provider = model.find("provider");
      const auto* name = model.find("model");
      const auto* cost = model.find("cost");
      if (provider == nullptr || name == nullptr)
        return document_error(where, 0, "a model without 'provider' or 'model'");
      builder_.count_model();
      if (cost == nullptr || cost->kind != Node::Kind::map) {
        builder_.note("left out: no cost", provider->text + " " + name->text);
        continue;
      }
      add_model(provider->text, name->text, *cost);
    }
    return builder_.finish();
  }

 private:
  void add_model(const std::string& provider, const std::string& model, const Node& cost) {
    const auto name = provider + " " + model;
    PriceEntry entry;
    entry.provider = provider;
    entry.models.push_back(Pattern::exact(model));
    if (builder_.options().effective_from) entry.from = *builder_.options().effective_from;
    PricesByContext contexts;
    add_fields(contexts[0], cost, name);
    if (const auto* tiers = cost.find("tiers")) {
      for (const auto& item : tiers->items) {
        const auto* tier = item.find("tier");
        const auto* size = tier == nullptr ? nullptr : tier->find("size");
        const auto boundary =
            size == nullptr ? Result<Int128>(Int128{0}) : parse_decimal(size->text, 0);
        if (!boundary.has_value() || boundary.value() <= 0) {
          builder_.note("left out: a tier that is not understood", name);
          continue;
        }
        add_fields(contexts[static_cast<int64_t>(boundary.value())], item, name);
      }
    }
    put_contexts(entry, contexts);
    builder_.add(std::move(entry), name);
  }

  void add_fields(Prices& prices, const Node& fields, const std::string& name) {
    for (const auto& field : fields.members) {
      if (field.name == "tiers" || field.name == "tier") continue;
      const auto known = std::find_if(known_fields.begin(), known_fields.end(),
                                      [&](const Field& other) { return other.name == field.name; });
      const auto what = name + " " + field.name;
      if (known == known_fields.end()) {
        builder_.note("left out: a price of something that is not metered", what);
        continue;
      }
      set_price(prices, known->item, builder_.price(field.value.text, Per::million, what));
    }
  }

  BookBuilder builder_;
};

}  // namespace

Result<ImportedCatalog> import_models_dev(std::string_view text, const ImportOptions& options) {
  return Importer(options).run(text);
}

}  // namespace gauger::billing
