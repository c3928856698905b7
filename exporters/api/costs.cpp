// What usage costs under the ledger's terms: one request (a quote), a team's month (a draft), and
// every contract's month beside what teams are charged for it.
#include "billing/invoice_draft.h"
#include "billing/invoice_text.h"
#include "billing/quote.h"
#include "billing/rate.h"
#include "exporters/accounting/cost_views.h"
#include "exporters/accounting/usage_reading.h"
#include "exporters/api/accounting.h"
#include "exporters/api/handlers.h"
#include "exporters/api/terms_of.h"
#include "exporters/invoice_blockers.h"
namespace gauger::exporters {
namespace {

using billing::Fields;
using billing::Node;

Result<void> read_counts(const Node& node, Counts& counts) {
  TRY(auto fields, Fields::of("the body", node, "counts"));
  for (size_t i = 0; i < meter_count; ++i)
    if (const auto* count = fields.optional(meter_names[i])) {
      TRY(counts[i], integer_of(*count, 0, limits::count_max));
    }
  return fields.finish();
}

Result<void> read_extras(const Node& node, billing::QuoteRequest& request) {
  if (node.kind != Node::Kind::map || node.members.size() > limits::extras_max)
    return invalid_argument("extras are an object of at most 16 counts by name");
  for (const auto& member : node.members) {
    TRY(const auto count, integer_of(member.value, 0, limits::count_max));
    request.extras.emplace_back(member.name, count);
  }
  return success();
}

struct QuoteCall {
  std::string book;
  billing::QuoteRequest request;
};

Result<QuoteCall> parse_quote(const Node& node, Instant now) {
  TRY(auto fields, Fields::of("the body", node, "a quote"));
  QuoteCall call;
  auto& request = call.request;
  TRY(call.book, text_or(fields, "book", ""));
  TRY(request.provider, text_of(fields, "provider"));
  TRY(request.model, text_of(fields, "model"));
  TRY(request.region, text_or(fields, "region", ""));
  TRY(request.accelerator, text_or(fields, "accelerator", ""));
  TRY(const auto tier, text_or(fields, "service_tier", "standard"));
  const auto found = find_name<ServiceTier>(service_tier_names, tier);
  if (!found) return fields.error("'" + tier + "' is not a service tier");
  request.service_tier = *found;
  TRY(const auto at, fields.instant("at"));
  request.at = at.value_or(now);
  if (const auto* counts = fields.optional("counts")) {
    TRY(read_counts(*counts, request.counts));
  }
  if (const auto* extras = fields.optional("extras")) {
    TRY(read_extras(*extras, request));
  }
  TRY(fields.finish());
  return call;
}

Result<billing::Quote> quote_of(Service& service, const Call& call, const Node& body) {
  TRY(const auto wanted, parse_quote(body, service.clock().now()));
  TRY(const auto view, view_of(service, call));
  TRY(const auto terms, terms_in_force(view, TimeZone::utc().local_month(wanted.request.at)));
  TRY(const auto* book, find_price_book(terms, wanted.book));
  return billing::quote(wanted.request, *book);
}

Result<billing::InvoiceDraft> draft_of(Service& service, const Call& call) {
  TRY(const auto view, view_of(service, call));
  billing::InvoiceRequest request;
  request.bill_to = std::string(call.query("team"));
  TRY(request.month, parse_month(call.query("period")));
  const auto zone = call.query("zone");
  TRY(request.zone, TimeZone::find(zone.empty() ? view.reader->config().time_zone : zone));
  TRY(const auto terms, terms_in_force(view, request.month));
  TRY(const auto* book, find_price_book(terms, call.query("book")));
  ledger::UsageQuery query;
  query.interval = billing::month_of(request);
  query.bucket = ledger::Bucket::grain;
  query.filters = {{ledger::Dimension::team, request.bill_to}};
  TRY(const auto usage, read_usage(view, query));
  billing::RateOptions options;
  options.zone = request.zone;
  options.catalog = terms.company.catalog ? &*terms.company.catalog : nullptr;
  options.within = query.interval;
  TRY(const auto rated, billing::rate(usage, *book, options));
  auto draft = billing::draft_invoice(rated, request);
  TRY(add_ledger_blockers(view.reader->store(), view.reader->head(), view.name_space, draft));
  return draft;
}

struct Costs {
  RatedMonth rated;
  std::vector<billing::CostView> views;
};

Result<Costs> costs_of(Service& service, const Call& call) {
  TRY(const auto month, parse_month(call.query("period")));
  TRY(auto view, view_of(service, call));
  TRY(auto source, RatingSource::open(std::move(view), {}, std::nullopt));
  Costs costs;
  TRY(costs.rated, source.rate(month, std::string(call.query("contract"))));
  TRY(costs.views, cost_views(costs.rated, std::string(call.query("policy")),
                              std::string(call.query("currency"))));
  return costs;
}

}  // namespace

Response post_quote(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto form = std::get<Form>(chosen);
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return *refused;
  const auto quote = quote_of(service, call, std::get<0>(body));
  if (!quote) return problem_of(quote.error());
  if (form == Form::csv) return ok(billing::quote_csv(quote.value()), form);
  if (form == Form::text) return ok(billing::quote_table(quote.value()), form);
  return ok(billing::quote_json(quote.value()));
}

Response get_costs(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  if (call.query("period").empty())
    return problem(Problem::invalid_request, "costs are of a period, a month such as 2026-10");
  const auto costs = costs_of(service, call);
  if (!costs) return problem_of(costs.error());
  const auto& [rated, views] = costs.value();
  return in_form(
      std::get<Form>(chosen), [&views = views] { return billing::cost_json(views); },
      [&views = views] { return billing::cost_csv(views); },
      [&rated = rated, &views = views] { return costs_text(rated, views); });
}

Response get_invoice_draft(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto form = std::get<Form>(chosen);
  if (call.query("team").empty() || call.query("period").empty())
    return problem(Problem::invalid_request, "a draft is of a team and a period (2026-10)");
  // The same answer as for a team that has no usage.
  if (!call.principal.sees_team(call.query("team"))) {
    service.audit_denial(call.head, &call.principal, call.route->operation, Problem::not_found);
    return problem(Problem::not_found,
                   "there is no team '" + std::string(call.query("team")) + "'");
  }
  const auto draft = draft_of(service, call);
  if (!draft) return problem_of(draft.error());
  if (form == Form::csv) return ok(billing::invoice_csv(draft.value()), form);
  if (form == Form::text) return ok(billing::invoice_table(draft.value()), form);
  return ok(billing::invoice_json(draft.value()));
}

}  // namespace gauger::exporters
