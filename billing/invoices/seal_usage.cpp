// The usage behind an invoice, summed by key and written down.
#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "billing/charge.h"
#include "billing/invoices/seal_json.h"

namespace gauger::billing {
namespace {

constexpr std::array<std::pair<std::string_view, StringId UsageKey::*>, 10> texts = {
    {{"namespace", &UsageKey::name_space},
     {"team", &UsageKey::team},
     {"project", &UsageKey::project},
     {"workload", &UsageKey::workload},
     {"provider", &UsageKey::provider},
     {"provider_account", &UsageKey::provider_account},
     {"model", &UsageKey::model},
     {"region", &UsageKey::region},
     {"accelerator", &UsageKey::accelerator},
     {"program", &UsageKey::program}}};

auto enums_of(const UsageKey& key) {
  return std::tuple(key.service_tier, key.context_tier, key.role, key.outcome, key.purpose,
                    key.exposure, key.usage_source);
}

bool before(const SealedUsage& usage, const UsageKey& a, const UsageKey& b) {
  for (const auto& [name, member] : texts) {
    const auto order = usage.strings[(a.*member).value] <=> usage.strings[(b.*member).value];
    if (order != 0) return order < 0;
  }
  return enums_of(a) < enums_of(b);
}

void add_row(const UsageTable& usage, const UsageRow& row, SealedUsage::Row& sum) {
  sum.requests += row.requests;
  for (size_t i = 0; i < meter_count; ++i)
    if (row.counts[i] != 0) sum.quantities[std::string(meter_names[i])] += row.counts[i];
  for (uint32_t i = 0; i < row.extras_count; ++i) {
    const auto& extra = usage.extras[row.extras_begin + i];
    sum.quantities[std::string(usage.text(extra.name))] += extra.count;
  }
}

void sort_by_text(SealedUsage& usage) {
  std::vector<uint32_t> order(usage.keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return before(usage, usage.keys[a], usage.keys[b]); });
  SealedUsage sorted;
  sorted.strings = std::move(usage.strings);
  for (const auto index : order) {
    sorted.keys.push_back(usage.keys[index]);
    sorted.rows.push_back(std::move(usage.rows[index]));
  }
  usage = std::move(sorted);
}

}  // namespace

SealedUsage seal_usage(const UsageTable& usage, Interval month, const Belongs& belongs) {
  SealedUsage sealed;
  sealed.strings = usage.strings;
  std::unordered_map<uint32_t, uint32_t> by_key;
  for (const auto& row : usage.rows) {
    const auto& key = usage.key(row);
    if (!month.contains(row.period) || !belongs(key, row.period)) continue;
    const auto [found, fresh] =
        by_key.try_emplace(row.key, static_cast<uint32_t>(sealed.keys.size()));
    if (fresh) {
      sealed.keys.push_back(key);
      sealed.rows.emplace_back();
    }
    add_row(usage, row, sealed.rows[found->second]);
  }
  for (auto& row : sealed.rows)
    std::erase_if(row.quantities, [](const auto& item) { return item.second == 0; });
  sort_by_text(sealed);
  return sealed;
}

JsonValue usage_json(const SealedUsage& usage) {
  JsonValue::Array rows;
  for (size_t i = 0; i < usage.keys.size(); ++i) {
    const auto& key = usage.keys[i];
    JsonValue row;
    for (const auto& [name, member] : texts)
      if (!usage.strings[(key.*member).value].empty())
        row[name] = usage.strings[(key.*member).value];
    row["service_tier"] = gauger::to_string(key.service_tier);
    row["context_tier"] = int64_t{key.context_tier};
    row["role"] = gauger::to_string(key.role);
    row["outcome"] = gauger::to_string(key.outcome);
    row["purpose"] = gauger::to_string(key.purpose);
    row["exposure"] = gauger::to_string(key.exposure);
    row["usage_source"] = gauger::to_string(key.usage_source);
    row["requests"] = usage.rows[i].requests;
    JsonValue quantities;
    for (const auto& [item, quantity] : usage.rows[i].quantities)
      quantities[item] = std::to_string(quantity);
    row["quantities"] = std::move(quantities);
    rows.push_back(std::move(row));
  }
  return rows;
}

namespace {

class UsageReader {
 public:
  explicit UsageReader(SealedUsage& usage) : usage_(usage) {
    usage_.strings = {std::string()};
    ids_.emplace("", 0);
  }

  Result<void> read(std::string_view file, const Node& node) {
    TRY(auto fields, JsonFields::of(file, node, "usage"));
    UsageKey key;
    for (const auto& [name, member] : texts) {
      if (!fields.has(name)) continue;
      TRY(const auto text, fields.text(name));
      key.*member = intern(text);
    }
    TRY(read_enums(fields, key));
    SealedUsage::Row row;
    TRY(row.requests, fields.integer("requests"));
    TRY(const auto* quantities, fields.object("quantities"));
    TRY(auto items, JsonFields::of(file, *quantities, "quantities"));
    for (const auto& member : quantities->members) {
      TRY(const auto quantity, items.quantity(member.name));
      row.quantities.emplace(member.name, quantity);
    }
    TRY(fields.finish());
    usage_.keys.push_back(key);
    usage_.rows.push_back(std::move(row));
    return success();
  }

 private:
  static Result<void> read_enums(JsonFields& fields, UsageKey& key) {
    TRY(key.service_tier, fields.choice<ServiceTier>("service_tier", service_tier_names));
    TRY(const auto tier, fields.integer("context_tier"));
    key.context_tier = static_cast<ContextTier>(tier);
    TRY(key.role, fields.choice<Role>("role", role_names));
    TRY(key.outcome, fields.choice<Outcome>("outcome", outcome_names));
    TRY(key.purpose, fields.choice<Purpose>("purpose", purpose_names));
    TRY(key.exposure, fields.choice<Exposure>("exposure", exposure_names));
    TRY(key.usage_source, fields.choice<UsageSource>("usage_source", usage_source_names));
    return success();
  }

  StringId intern(const std::string& text) {
    const auto [found, fresh] =
        ids_.try_emplace(text, static_cast<uint32_t>(usage_.strings.size()));
    if (fresh) usage_.strings.push_back(text);
    return {found->second};
  }

  SealedUsage& usage_;
  std::unordered_map<std::string, uint32_t> ids_;
};

}  // namespace

Result<SealedUsage> parse_usage(JsonFields& fields) {
  SealedUsage usage;
  UsageReader reader(usage);
  TRY(const auto nodes, fields.list("usage"));
  for (const auto& node : nodes) {
    TRY(reader.read(fields.file(), node));
  }
  return usage;
}

}  // namespace gauger::billing
