// pydantic/genai-prices, format v2. Its rules, read in its source: USD per million; a tier
// applies to the whole request where the total input lies strictly above its start; of dated
// and time-of-day prices the last that is active counts; cached tokens without a price of their
// own are charged as input. That last rule is written out here, but for 1-hour writes.
#include <algorithm>

#include "billing/catalogs/book_builder.h"

namespace gauger::billing {
namespace {

struct Field {
  std::string_view name;
  std::string_view item;
  Per per;
};
constexpr std::array<Field, 12> known_fields = {{
    {"input_mtok", "input_uncached", Per::million},
    {"cache_read_mtok", "cache_read", Per::million},
    {"cache_write_mtok", "cache_write_5m", Per::million},
    {"cache_write_5m_mtok", "cache_write_5m", Per::million},
    {"cache_write_1h_mtok", "cache_write_1h", Per::million},
    {"input_audio_mtok", "input_audio", Per::million},
    {"input_image_mtok", "input_image", Per::million},
    {"output_mtok", "output_text", Per::million},
    {"output_reasoning_mtok", "output_reasoning", Per::million},
    {"output_audio_mtok", "output_audio", Per::million},
    {"web_searches_kcount", "web_searches", Per::thousand},
    {"requests_kcount", "requests", Per::thousand},
}};

// A regular expression that only uses ^, $, \d, \d{n} and \. as a glob; nothing for others.
std::optional<Pattern> glob_of_regex(std::string_view regex) {
  std::string glob;
  const bool from_begin = !regex.empty() && regex.front() == '^';
  const bool to_end = !regex.empty() && regex.back() == '$';
  regex.remove_prefix(from_begin ? 1 : 0);
  regex.remove_suffix(to_end ? 1 : 0);
  if (!from_begin) glob += '*';
  while (!regex.empty()) {
    if (regex.substr(0, 2) == "\\d") {
      regex.remove_prefix(2);
      size_t count = 1;
      if (regex.size() >= 3 && regex[0] == '{' && regex[2] == '}' && regex[1] >= '1' &&
          regex[1] <= '9') {
        count = static_cast<size_t>(regex[1] - '0');
        regex.remove_prefix(3);
      }
      for (size_t i = 0; i < count; ++i) glob += "[0-9]";
    } else if (regex.substr(0, 2) == "\\.") {
      glob += '.';
      regex.remove_prefix(2);
    } else if (std::string_view("^$\\.|?*+()[]{}").find(regex[0]) != std::string_view::npos) {
      return std::nullopt;
    } else {
      glob += regex[0];
      regex.remove_prefix(1);
    }
  }
  if (!to_end) glob += '*';
  return Pattern::glob(glob);
}

class Importer {
 public:
  explicit Importer(const ImportOptions& options) : builder_(options) {}

  Result<ImportedCatalog> run(std::string_view text) {
    const auto& file = builder_.options().file;
    TRY(const auto root, parse_json(text, file));
    if (root.kind != Node::Kind::list)
      return document_error(file, 0, "a genai-prices catalogue is a list of providers");
    for (const auto& provider : root.items) {
      const auto* id = provider.find("id");
      const auto* models = provider.find("models");
      if (id == nullptr || models == nullptr || models->kind != Node::Kind::list)
        return document_error(file, 0, "a provider without 'id' or 'models'");
      for (const auto& model : models->items) add_model(id->text, model);
    }
    return builder_.finish();
  }

 private:
  void add_model(const std::string& provider, const Node& model) {
    const auto* id = model.find("id");
    const auto name = provider + " " + (id == nullptr ? "?" : id->text);
    const auto* match = model.find("match");
    const auto* prices = model.find("prices");
    builder_.count_model();
    PriceEntry entry;
    entry.provider = provider;
    if (match != nullptr) add_patterns(*match, entry.models, name);
    if (entry.models.empty() || prices == nullptr) {
      builder_.note("left out: no name that can be matched, or no prices", name);
      return;
    }
    if (prices->kind == Node::Kind::map) {
      add_entry(entry, *prices, nullptr, name);
    } else {
      add_conditional(entry, *prices, name);
    }
  }

  void add_patterns(const Node& match, std::vector<Pattern>& patterns, const std::string& name) {
    for (const auto& clause : match.members) {
      const auto& text = clause.value.text;
      std::optional<Pattern> pattern;
      if (clause.name == "or") {
        for (const auto& item : clause.value.items) add_patterns(item, patterns, name);
        continue;
      }
      if (clause.name == "equals") pattern = Pattern::exact(text);
      if (clause.name == "starts_with") pattern = Pattern::prefix(text);
      const bool special = text.find_first_of("*?[") != std::string::npos;
      if (clause.name == "ends_with" && !special) pattern = Pattern::glob("*" + text);
      if (clause.name == "contains" && !special) pattern = Pattern::glob("*" + text + "*");
      if (clause.name == "regex") pattern = glob_of_regex(text);
      if (!pattern) {
        builder_.note("left out: a match rule without a glob", name + " " + clause.name);
      } else if (std::find(patterns.begin(), patterns.end(), *pattern) == patterns.end()) {
        patterns.push_back(std::move(*pattern));
      }
    }
  }

  void add_conditional(const PriceEntry& entry, const Node& list, const std::string& name) {
    const auto has = [&](std::string_view key) {
      return std::any_of(list.items.begin(), list.items.end(), [&](const Node& item) {
        const auto* constraint = item.find("constraint");
        return constraint != nullptr && constraint->find(key) != nullptr;
      });
    };
    if (has("start_date") && has("start_time")) {
      builder_.note("left out: dated prices and hours of the day together", name);
      return;
    }
    for (size_t i = first_in_force(list); i < list.items.size(); ++i)
      if (const auto* prices = list.items[i].find("prices"))
        add_entry(entry, *prices, list.items[i].find("constraint"), name);
  }

  // An import from some day on begins with the dated price that is in force on that day.
  size_t first_in_force(const Node& list) const {
    size_t first = 0;
    if (!builder_.options().effective_from) return first;
    for (size_t i = 0; i < list.items.size(); ++i) {
      const auto* constraint = list.items[i].find("constraint");
      const auto* date = constraint == nullptr ? nullptr : constraint->find("start_date");
      if (date == nullptr) continue;
      const auto from = parse_instant(date->text);
      if (from.has_value() && from.value() <= *builder_.options().effective_from) first = i;
    }
    return first;
  }

  void add_entry(PriceEntry entry, const Node& fields, const Node* constraint,
                 const std::string& name) {
    if (builder_.options().effective_from) entry.from = *builder_.options().effective_from;
    if (constraint != nullptr && constraint->kind == Node::Kind::map &&
        !constrain(entry, *constraint)) {
      builder_.note("left out: a constraint that is not understood", name);
      return;
    }
    PricesByContext contexts;
    for (const auto& field : fields.members) add_field(contexts, field, name);
    charge_cache_as_input(contexts, name);
    put_contexts(entry, contexts);
    builder_.add(std::move(entry), name);
  }

  bool constrain(PriceEntry& entry, const Node& constraint) {
    for (const auto& member : constraint.members) {
      if (member.name == "start_date") {
        const auto from = parse_instant(member.value.text);
        if (!from.has_value()) return false;
        entry.from = std::max(entry.from, from.value());
      } else if (member.name == "start_time" || member.name == "end_time") {
        const auto time = parse_instant("1970-01-01T" + member.value.text);
        if (!time.has_value()) return false;
        const auto minute = static_cast<int32_t>(to_us(time.value()) / 60'000'000);
        if (!entry.hours) entry.hours = DayWindow{0, 0};
        (member.name == "start_time" ? entry.hours->from : entry.hours->until) = minute;
      } else if (member.name != "type") {
        return false;
      }
    }
    return !entry.hours || entry.hours->from != entry.hours->until;
  }

  void add_field(PricesByContext& contexts, const Node::Member& field, const std::string& name) {
    const auto known = std::find_if(known_fields.begin(), known_fields.end(),
                                    [&](const Field& other) { return other.name == field.name; });
    if (known == known_fields.end()) {
      builder_.note("left out: a price of something that is not metered", name + " " + field.name);
      return;
    }
    const auto what = name + " " + field.name;
    if (field.value.kind == Node::Kind::scalar) {
      set_price(contexts[0], known->item, builder_.price(field.value.text, known->per, what));
      return;
    }
    if (const auto* base = field.value.find("base"))
      set_price(contexts[0], known->item, builder_.price(base->text, known->per, what));
    const auto* tiers = field.value.find("tiers");
    if (tiers == nullptr) return;
    for (const auto& tier : tiers->items) {
      const auto* start = tier.find("start");
      const auto* price = tier.find("price");
      const auto boundary =
          start == nullptr ? Result<Int128>(Int128{0}) : parse_decimal(start->text, 0);
      if (price == nullptr || !boundary.has_value() || boundary.value() <= 0) {
        builder_.note("left out: a tier that is not understood", what);
        continue;
      }
      set_price(contexts[static_cast<int64_t>(boundary.value())], known->item,
                builder_.price(price->text, known->per, what));
    }
  }

  void charge_cache_as_input(PricesByContext& contexts, const std::string& name) {
    const auto* input = find_item(contexts[0], "input_uncached");
    if (input == nullptr) return;
    for (const auto* item : {"cache_read", "cache_write_5m"}) {
      if (find_item(contexts[0], item) != nullptr) continue;
      builder_.note("charged as input, as the catalogue does: " + std::string(item), name);
      for (auto& [above, prices] : contexts)
        if (const auto* price = find_item(prices, "input_uncached"))
          set_price(prices, item, std::optional(price->price));
    }
  }

  BookBuilder builder_;
};

}  // namespace

Result<ImportedCatalog> import_genai_prices(std::string_view text, const ImportOptions& options) {
  return Importer(options).run(text);
}

}  // namespace gauger::billing
