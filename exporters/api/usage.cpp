#include "exporters/accounting/usage_reading.h"
#include "exporters/api/accounting.h"
#include "exporters/api/handlers.h"
#include "exporters/api/terms_of.h"
#include "exporters/usage_report.h"

namespace gauger::exporters {
namespace {

using ledger::Dimension;

// The dimensions that the query narrows down to.
std::vector<ledger::Filter> filters_of(const Call& call) {
  std::vector<ledger::Filter> filters;
  for (size_t i = 0; i < ledger::dimension_names.size(); ++i) {
    if (static_cast<Dimension>(i) == Dimension::name_space) continue;
    const auto value = call.query(ledger::dimension_names[i]);
    if (!value.empty()) filters.push_back({static_cast<Dimension>(i), std::string(value)});
  }
  return filters;
}

// The texts of a line, as a cursor names it. Texts hold no zero byte.
std::string name_of(const UsageLine& line) {
  std::string name;
  for (const auto& text : line.texts) name += text + '\0';
  return name;
}

Result<UsageReport> report_of(Service& service, const Call& call) {
  const auto by = call.query("by");
  TRY(const auto grouping, parse_usage_grouping(by.empty() ? "team,model" : by));
  TRY(const auto zone, TimeZone::find(service.ledger().config().time_zone));
  TRY(const auto view, view_of(service, call));
  billing::Terms terms;
  const billing::ModelCatalog* catalog = nullptr;
  if (grouping.model_tier) {
    TRY(terms, terms_in_force(view, zone.local_month(service.clock().now())));
    TRY(catalog, find_model_catalog(terms));
  }
  ledger::UsageQuery query;
  TRY(query.interval,
      parse_report_interval(call.query("period"), call.query("from"), call.query("until"), zone));
  query.group = grouping.mask;
  query.bucket = bucket_of(grouping);
  query.filters = filters_of(call);
  const auto& principal = call.principal;
  TeamFilter sees;
  if (!principal.sees_all_teams()) {
    query.group |= ledger::mask_of(Dimension::team);
    sees = [&principal](std::string_view team) { return principal.sees_team(team); };
  }
  TRY(const auto table, read_usage(view, query));
  return make_usage_report(table, grouping, catalog, zone, sees);
}

// Cuts the report to the page, and returns the cursor of the next one.
std::string cut_to_page(const Call& call, const Page& page, UsageReport& report) {
  auto& lines = report.lines;
  if (!page.after.empty())
    std::erase_if(lines, [&](const UsageLine& line) { return name_of(line) <= page.after; });
  if (lines.size() <= page.limit) return {};
  lines.resize(page.limit);
  return make_cursor(call, name_of(lines.back()));
}

}  // namespace

Response get_usage(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto form = std::get<Form>(chosen);
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  auto report = report_of(service, call);
  if (!report) return problem_of(report.error());
  if (form == Form::csv) return ok(usage_csv(report.value()), form);
  if (form == Form::text) return ok(usage_table_text(report.value()), form);
  const auto next = cut_to_page(call, page.value(), report.value());
  return ok(usage_json(report.value(), next));
}

Response list_teams(Service& service, const Call& call) {
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  ledger::UsageQuery query;
  query.interval = {Instant{}, Instant{std::chrono::days{84'006}}};
  query.group = ledger::mask_of(Dimension::team);
  const auto view = view_of(service, call);
  if (!view) return problem_of(view.error());
  const auto table = read_usage(view.value(), query);
  if (!table) return problem_of(table.error());
  auto report = make_usage_report(
      table.value(), parse_usage_grouping("team").value(), nullptr, TimeZone::utc(),
      [&](std::string_view team) { return call.principal.sees_team(team); });
  if (!report) return problem_of(report.error());
  const auto next = cut_to_page(call, page.value(), report.value());
  billing::JsonValue json;
  json["as_of_sequence"] = as_json(report.value().as_of_sequence);
  if (!next.empty()) json["next_cursor"] = next;
  json["items"] = billing::JsonValue::Array();
  for (const auto& line : report.value().lines) {
    billing::JsonValue item;
    item["team"] = line.texts.front();
    item["requests"] = line.requests;
    json["items"].push_back(std::move(item));
  }
  return ok(json.canonical());
}

}  // namespace gauger::exporters
