// Allocation documents as tables for people and as canonical JSON that reads back whole.
#include "billing/contracts/allocation_json.h"
#include "billing/invoices/line_json.h"
#include "billing/text_table.h"
#include "schemas/limits.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

JsonValue class_json(const UsageClass& usage_class) {
  JsonValue json;
  json["provider"] = usage_class.provider;
  json["model"] = usage_class.model;
  json["region"] = usage_class.region;
  json["accelerator"] = usage_class.accelerator;
  json["service_tier"] = gauger::to_string(usage_class.service_tier);
  json["context_tier"] = int64_t{usage_class.context_tier};
  json["item"] = usage_class.item;
  return json;
}

Result<UsageClass> parse_class(JsonFields& fields) {
  UsageClass usage_class;
  TRY(usage_class.provider, fields.text("provider"));
  TRY(usage_class.model, fields.text("model"));
  TRY(usage_class.region, fields.text("region"));
  TRY(usage_class.accelerator, fields.text("accelerator"));
  TRY(usage_class.service_tier, fields.choice<ServiceTier>("service_tier", service_tier_names));
  TRY(const auto tier, fields.integer("context_tier"));
  if (tier < 0 || tier > static_cast<int64_t>(limits::context_boundaries_max))
    return fields.error("'context_tier' is not one of a ledger's");
  usage_class.context_tier = static_cast<ContextTier>(tier);
  TRY(usage_class.item, fields.text("item"));
  return usage_class;
}

JsonValue blocker_json(const Blocker& blocker) {
  JsonValue json;
  json["kind"] = to_string(blocker.kind);
  json["sentence"] = blocker.sentence;
  json["quantity"] = std::to_string(blocker.quantity);
  json["subject"] = line_json(blocker.subject);
  return json;
}

Result<Blocker> parse_blocker(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a blocker"));
  Blocker blocker{};
  TRY(blocker.kind, fields.choice<BlockerKind>("kind", blocker_kind_names));
  TRY(blocker.sentence, fields.text("sentence"));
  TRY(blocker.quantity, fields.quantity("quantity"));
  TRY(const auto* subject, fields.object("subject"));
  TRY(auto subject_fields, JsonFields::of(file, *subject, "a subject"));
  TRY(blocker.subject, parse_line_json(subject_fields));
  TRY(subject_fields.finish());
  TRY(fields.finish());
  return blocker;
}

JsonValue quantity_json(const TeamQuantity& quantity) {
  auto json = class_json(quantity.usage_class);
  json["team"] = quantity.team;
  json["quantity"] = std::to_string(quantity.quantity);
  return json;
}

Result<TeamQuantity> parse_quantity(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a quantity"));
  TeamQuantity quantity;
  TRY(quantity.team, fields.text("team"));
  TRY(quantity.usage_class, parse_class(fields));
  TRY(quantity.quantity, fields.quantity("quantity"));
  TRY(fields.finish());
  return quantity;
}

JsonValue rate_json(const ClosingRate& rate) {
  auto json = class_json(rate.usage_class);
  json["quantity"] = std::to_string(rate.quantity);
  json["amount_exact"] = exact_amount(rate.amount);
  return json;
}

Result<ClosingRate> parse_rate(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a closing rate"));
  ClosingRate rate;
  TRY(rate.usage_class, parse_class(fields));
  TRY(rate.quantity, fields.quantity("quantity"));
  TRY(rate.amount, fields.exact("amount_exact"));
  TRY(fields.finish());
  if (rate.quantity < 1) return fields.error("a closing rate is of a positive quantity");
  return rate;
}

JsonValue reference_json(const TermsReference& reference) {
  JsonValue json;
  json["kind"] = reference.kind;
  json["id"] = reference.id;
  json["version"] = reference.version;
  json["content_hash"] = reference.content_hash;
  return json;
}

Result<TermsReference> parse_reference(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a reference"));
  TermsReference reference;
  TRY(reference.kind, fields.text("kind"));
  TRY(reference.id, fields.text("id"));
  TRY(reference.version, fields.text("version"));
  TRY(reference.content_hash, fields.text("content_hash"));
  TRY(fields.finish());
  return reference;
}

Result<PrepaidDraw> parse_draw(std::string_view file, const Node& node, const Currency& currency) {
  TRY(auto fields, JsonFields::of(file, node, "a prepaid credit"));
  PrepaidDraw draw;
  TRY(draw.credit, fields.text("credit"));
  TRY(draw.drawn_minor, fields.minor("drawn", currency));
  TRY(draw.left_minor, fields.minor("left", currency));
  TRY(draw.expired_minor, fields.minor("expired", currency));
  TRY(fields.finish());
  return draw;
}

Result<InvoiceDraft> parse_team(std::string_view file, const Node& node, const Currency& currency,
                                std::span<const Rule> rules) {
  TRY(auto fields, JsonFields::of(file, node, "a team"));
  InvoiceDraft team;
  team.currency = currency;
  TRY(team.bill_to, fields.text("team"));
  TRY(team.total, fields.exact("amount_exact"));
  TRY(team.total_minor, fields.minor("amount", currency));
  TRY(team.lines, parse_lines(fields, rules, currency));
  TRY(team.blockers, parse_list<Blocker>(fields, "blockers", parse_blocker));
  TRY(fields.finish());
  return team;
}

Result<void> parse_teams(JsonFields& fields, AllocationDocument& allocation) {
  TRY(const auto rules, parse_rules(fields));
  TRY(const auto zone, fields.text("time_zone"));
  TRY(const auto teams, fields.list("teams"));
  for (const auto& node : teams) {
    TRY(auto team, parse_team(fields.file(), node, allocation.currency, rules));
    team.month = allocation.month;
    team.zone = zone;
    team.period = allocation.period;
    team.as_of_sequence = allocation.as_of_sequence;
    allocation.teams.push_back(std::move(team));
  }
  return success();
}

}  // namespace

JsonValue LinesToJson::lines(std::span<const InvoiceLine> lines, const Currency& currency) {
  JsonValue::Array list;
  list.reserve(lines.size());
  for (const auto& line : lines) {
    const auto& rule = line.rule;
    const auto [found, added] =
        numbers_.try_emplace({rule.document, rule.version, rule.line, rule.label, rule.item,
                              rule.context_above, rule.price},
                             std::ssize(rules_));
    if (added) rules_.push_back(rule_json(rule));
    auto without_rule = line;
    without_rule.rule = {};
    auto json = line_json(without_rule);
    json["amount"] = currency.format_minor(line.amount_minor);
    json["rule_number"] = found->second;
    list.push_back(std::move(json));
  }
  return {std::move(list)};
}

Result<std::vector<Rule>> parse_rules(JsonFields& fields) {
  return parse_list<Rule>(fields, "rules", parse_rule_json);
}

Result<std::vector<InvoiceLine>> parse_lines(JsonFields& fields, std::span<const Rule> rules,
                                             const Currency& currency) {
  return parse_list<InvoiceLine>(
      fields, "lines", [&](std::string_view file, const Node& node) -> Result<InvoiceLine> {
        TRY(auto members, JsonFields::of(file, node, "a line"));
        TRY(auto line, parse_line_json(members));
        TRY(line.amount_minor, members.minor("amount", currency));
        TRY(const auto number, members.integer("rule_number"));
        TRY(members.finish());
        if (number < 0 || number >= std::ssize(rules))
          return members.error("'rule_number' is none of the rules");
        line.rule = rules[static_cast<size_t>(number)];
        return line;
      });
}

JsonValue late_json(const LateCharge& charge, const Currency& currency) {
  auto json = class_json(charge.usage_class);
  json["team"] = charge.team;
  json["quantity"] = std::to_string(charge.quantity);
  json["amount"] = currency.format_minor(charge.amount_minor);
  return json;
}

Result<LateCharge> parse_late(std::string_view file, const Node& node, const Currency& currency) {
  TRY(auto fields, JsonFields::of(file, node, "a late charge"));
  LateCharge charge;
  TRY(charge.team, fields.text("team"));
  TRY(charge.usage_class, parse_class(fields));
  TRY(charge.quantity, fields.quantity("quantity"));
  TRY(charge.amount_minor, fields.minor("amount", currency));
  TRY(fields.finish());
  return charge;
}

std::string allocation_table(const AllocationDocument& allocation) {
  TextTable table({{"team"}, {"exact", Align::right}, {"amount", Align::right}});
  for (const auto& team : allocation.teams)
    table.add({team.bill_to.empty() ? std::string(unallocated) : team.bill_to,
               format_amount(team.total), allocation.currency.format_minor(team.total_minor)});
  table.add({"total", format_amount(allocation.total),
             allocation.currency.format_minor(allocation.total_minor)});
  return "allocation of " + allocation.contract + " " + allocation.version + " for " +
         format_month(allocation.month) + " in " + allocation.currency.code() + "\n\n" +
         table.text();
}

JsonValue allocation_value(const AllocationDocument& allocation) {
  const auto& currency = allocation.currency;
  JsonValue root;
  root["kind"] = "allocation";
  root["contract"] = allocation.contract;
  root["version"] = allocation.version;
  root["month"] = format_month(allocation.month);
  root["from"] = format_instant(allocation.period.from);
  root["until"] = format_instant(allocation.period.until);
  root["time_zone"] = allocation.teams.empty() ? "UTC" : allocation.teams.front().zone;
  root["currency"] = currency.code();
  root["total"] = currency.format_minor(allocation.total_minor);
  root["total_exact"] = exact_amount(allocation.total);
  root["payable"] = currency.format_minor(allocation.payable_minor);
  root["as_of_sequence"] = static_cast<int64_t>(allocation.as_of_sequence);
  LinesToJson to_json;
  root["teams"] = json_list(allocation.teams, [&](const InvoiceDraft& team) {
    JsonValue json;
    json["team"] = team.bill_to;
    json["amount"] = currency.format_minor(team.total_minor);
    json["amount_exact"] = exact_amount(team.total);
    json["lines"] = to_json.lines(team.lines, currency);
    json["blockers"] = json_list(team.blockers, blocker_json);
    return json;
  });
  root["rules"] = std::move(to_json).rules();
  root["quantities"] = json_list(allocation.quantities, quantity_json);
  root["closing_rates"] = json_list(allocation.rates, rate_json);
  root["prepaid"] = json_list(allocation.prepaid, [&](const PrepaidDraw& draw) {
    JsonValue json;
    json["credit"] = draw.credit;
    json["drawn"] = currency.format_minor(draw.drawn_minor);
    json["left"] = currency.format_minor(draw.left_minor);
    json["expired"] = currency.format_minor(draw.expired_minor);
    return json;
  });
  root["terms"] = json_list(allocation.terms, reference_json);
  return root;
}

std::string allocation_json(const AllocationDocument& allocation) {
  return allocation_value(allocation).canonical() + "\n";
}

Result<AllocationDocument> parse_allocation_value(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "an allocation"));
  AllocationDocument allocation;
  TRY(const auto kind, fields.text("kind"));
  if (kind != "allocation") return fields.error("'kind: " + kind + "' is not an allocation");
  TRY(allocation.contract, fields.text("contract"));
  TRY(allocation.version, fields.text("version"));
  TRY(allocation.month, fields.month("month"));
  TRY(allocation.period.from, fields.instant("from"));
  TRY(allocation.period.until, fields.instant("until"));
  TRY(allocation.currency, fields.currency("currency"));
  TRY(allocation.total_minor, fields.minor("total", allocation.currency));
  TRY(allocation.total, fields.exact("total_exact"));
  TRY(allocation.payable_minor, fields.minor("payable", allocation.currency));
  TRY(const auto sequence, fields.integer("as_of_sequence"));
  allocation.as_of_sequence = static_cast<uint64_t>(sequence);
  TRY(parse_teams(fields, allocation));
  TRY(allocation.quantities, parse_list<TeamQuantity>(fields, "quantities", parse_quantity));
  TRY(allocation.rates, parse_list<ClosingRate>(fields, "closing_rates", parse_rate));
  TRY(allocation.prepaid,
      parse_list<PrepaidDraw>(fields, "prepaid", [&](std::string_view name, const Node& item) {
        return parse_draw(name, item, allocation.currency);
      }));
  TRY(allocation.terms, parse_list<TermsReference>(fields, "terms", parse_reference));
  TRY(fields.finish());
  return allocation;
}

Result<AllocationDocument> parse_allocation(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_json(text, file));
  return parse_allocation_value(file, root);
}

}  // namespace gauger::billing
