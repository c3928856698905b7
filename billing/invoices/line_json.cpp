#include "billing/invoices/line_json.h"

#include <limits>

#include "schemas/limits.h"

namespace gauger::billing {
namespace {

JsonValue unit_json(const UnitPrice& unit) {
  JsonValue object;
  object["pico"] = std::to_string(unit.pico);
  object["units"] = unit.units;
  return object;
}

Result<UnitPrice> parse_unit(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a unit price"));
  UnitPrice unit;
  TRY(unit.pico, fields.quantity("pico"));
  TRY(unit.units, fields.integer("units"));
  TRY(fields.finish());
  if (unit.pico < 0 || unit.units < 1)
    return fields.error("a unit price is not negative, and for one unit at least");
  return unit;
}

Result<PriceTier> parse_tier(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a tier"));
  PriceTier tier;
  if (fields.has("up_to")) {
    TRY(tier.up_to, fields.quantity("up_to"));
  }
  TRY(const auto* unit, fields.object("price"));
  TRY(tier.price, parse_unit(file, *unit));
  TRY(fields.finish());
  return tier;
}

// What amount_of() relies on.
Result<void> check_tiers(const JsonFields& fields, const std::vector<PriceTier>& tiers) {
  int64_t before = 0;
  for (const auto& tier : tiers) {
    if (tier.up_to <= before) return fields.error("tiers ascend");
    before = tier.up_to;
  }
  if (tiers.empty() || before != no_upper_end)
    return fields.error("the last tier has no upper end");
  return success();
}

}  // namespace

JsonValue price_json(const Price& price) {
  JsonValue object;
  object["schedule"] = to_string(price.schedule);
  object["per"] = to_string(price.per);
  switch (price.schedule) {
    case Schedule::package: object["package_size"] = price.package_size; [[fallthrough]];
    case Schedule::flat: object["unit"] = unit_json(price.unit); break;
    case Schedule::graduated:
    case Schedule::volume:
      object["tiers"] = json_list(price.tiers, [](const PriceTier& tier) {
        JsonValue item;
        item["price"] = unit_json(tier.price);
        if (tier.up_to != no_upper_end) item["up_to"] = std::to_string(tier.up_to);
        return item;
      });
      break;
  }
  return object;
}

Result<Price> parse_price_json(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a price"));
  Price price;
  TRY(price.schedule, fields.choice<Schedule>("schedule", schedule_names));
  TRY(price.per, fields.choice<Per>("per", per_names));
  const bool tiered = price.schedule == Schedule::graduated || price.schedule == Schedule::volume;
  if (price.schedule == Schedule::package) {
    TRY(price.package_size, fields.integer("package_size"));
    if (price.package_size < 1) return fields.error("a package holds one unit at least");
  }
  if (tiered) {
    TRY(price.tiers, parse_list<PriceTier>(fields, "tiers", parse_tier));
    TRY(check_tiers(fields, price.tiers));
  } else {
    TRY(const auto* unit, fields.object("unit"));
    TRY(price.unit, parse_unit(file, *unit));
  }
  TRY(fields.finish());
  return price;
}

JsonValue rule_json(const Rule& rule) {
  JsonValue object;
  object["document"] = rule.document;
  object["version"] = rule.version;
  object["line"] = int64_t{rule.line};
  object["label"] = rule.label;
  object["item"] = rule.item;
  object["context_above"] = rule.context_above;
  object["price"] = price_json(rule.price);
  return object;
}

Result<Rule> parse_rule_json(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a rule"));
  Rule rule;
  TRY(rule.document, fields.text("document"));
  TRY(rule.version, fields.text("version"));
  TRY(const auto line, fields.integer("line"));
  rule.line = static_cast<int>(line);
  TRY(rule.label, fields.text("label"));
  TRY(rule.item, fields.text("item"));
  TRY(rule.context_above, fields.integer("context_above"));
  TRY(const auto* price, fields.object("price"));
  TRY(rule.price, parse_price_json(file, *price));
  TRY(fields.finish());
  if (rule.document.empty()) return fields.error("a rule names its document");
  return rule;
}

JsonValue line_json(const InvoiceLine& line) {
  JsonValue object;
  object["team"] = line.team;
  object["project"] = line.project;
  object["provider"] = line.provider;
  object["model"] = line.model;
  object["model_tier"] = line.model_tier;
  object["region"] = line.region;
  object["service_tier"] = gauger::to_string(line.service_tier);
  object["context_tier"] = int64_t{line.context_tier};
  object["charge"] = to_string(line.kind);
  object["item"] = line.item;
  object["quantity"] = std::to_string(line.quantity);
  object["amount_exact"] = exact_amount(line.amount);
  if (line.rule.document.empty()) return object;
  object["rule"] = rule_json(line.rule);
  return object;
}

Result<InvoiceLine> parse_line_json(JsonFields& fields) {
  InvoiceLine line;
  TRY(line.team, fields.text("team"));
  TRY(line.project, fields.text("project"));
  TRY(line.provider, fields.text("provider"));
  TRY(line.model, fields.text("model"));
  TRY(line.model_tier, fields.text("model_tier"));
  TRY(line.region, fields.text("region"));
  TRY(line.service_tier, fields.choice<ServiceTier>("service_tier", service_tier_names));
  TRY(const auto context_tier, fields.integer("context_tier"));
  if (context_tier < 0 || context_tier > static_cast<int64_t>(limits::context_boundaries_max))
    return fields.error("'context_tier' is not one of a ledger's");
  line.context_tier = static_cast<ContextTier>(context_tier);
  TRY(line.kind, fields.choice<ChargeKind>("charge", charge_kind_names));
  TRY(line.item, fields.text("item"));
  TRY(line.quantity, fields.quantity("quantity"));
  TRY(line.amount, fields.exact("amount_exact"));
  const auto* rule = fields.optional("rule");
  if (rule != nullptr) {
    TRY(line.rule, parse_rule_json(fields.file(), *rule));
  }
  return line;
}

}  // namespace gauger::billing
