// What distillations are worth, and the same usage under other terms.
#include "billing/savings/comparison.h"
#include "billing/savings/guardrail.h"
#include "billing/savings/statement_text.h"
#include "exporters/accounting/comparison_report.h"
#include "exporters/accounting/savings_finalizing.h"
#include "exporters/api/accounting.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"
#include "exporters/api/program_months.h"

namespace gauger::exporters {
namespace {

using billing::Fields;
using billing::JsonValue;

Result<billing::SavingsRequest> request_of(std::string_view period, std::string_view basis,
                                           std::string_view list) {
  billing::SavingsRequest request;
  TRY(const auto months, parse_month_range(std::string(period)));
  request.first_month = months.first;
  request.last_month = months.last;
  if (!basis.empty() && basis != "contract" && basis != "list")
    return invalid_argument("basis is contract or list");
  request.basis = basis == "list" ? billing::PriceBasis::list : billing::PriceBasis::contract;
  request.list_book = std::string(list);
  return request;
}

Result<billing::SavingsStatement> statement_of(Service& service, const Call& call) {
  TRY(const auto request,
      request_of(call.query("period"), call.query("basis"), call.query("list")));
  TRY(auto view, view_of(service, call));
  TRY(const auto source, SavingsSource::open(std::move(view), {}));
  return source.statement(request);
}

Result<SavingsFinalizing> finalizing(Service& service, const Call& call,
                                     const billing::Node& body) {
  TRY(auto fields, Fields::of("the body", body, "what to finalize"));
  TRY(const auto period, text_of(fields, "period"));
  TRY(const auto basis, text_or(fields, "basis", ""));
  TRY(const auto list, text_or(fields, "list", ""));
  TRY(const auto reason, text_or(fields, "reason", ""));
  TRY(fields.finish());
  TRY(const auto request, request_of(period, basis, list));
  TRY(auto view, view_of(service, call));
  TRY(const auto source, SavingsSource::open(std::move(view), {}));
  return finalize_savings(source, request, reason);
}

// --- comparisons ----------------------------------------------------------------------------

struct ComparisonCall {
  std::string period;
  std::vector<billing::CostDimension> by;
  std::vector<NamedText> a;
  std::vector<NamedText> b;
};

Result<std::vector<NamedText>> read_side(Fields& fields, std::string_view side) {
  std::vector<NamedText> texts;
  TRY(const auto list, fields.list(side));
  for (const auto& node : list) {
    if (node.kind != billing::Node::Kind::scalar || node.text.empty() || !node.quoted)
      return fields.error("'" + std::string(side) + "' is a list of documents, each a text");
    texts.push_back({std::string(side) + " " + std::to_string(texts.size() + 1), node.text});
  }
  return texts;
}

Result<ComparisonCall> parse_comparison(const billing::Node& node) {
  TRY(auto fields, Fields::of("the body", node, "a comparison"));
  ComparisonCall call;
  TRY(call.period, text_of(fields, "period"));
  TRY(const auto by, text_or(fields, "by", "team,model"));
  TRY(call.by, billing::parse_cost_dimensions(by));
  TRY(call.a, read_side(fields, "a"));
  TRY(call.b, read_side(fields, "b"));
  TRY(fields.finish());
  return call;
}

Result<ReportTable> compared(Service& service, const Call& call, const ComparisonCall& wanted) {
  TRY(const auto months, parse_month_range(wanted.period));
  TRY(auto view, view_of(service, call));
  TRY(const auto source, SavingsSource::open(std::move(view), {}, false));
  TRY(const auto a, source.documents_with(wanted.a));
  TRY(const auto b, source.documents_with(wanted.b));
  if (a.terms.company.contracts.empty() || b.terms.company.contracts.empty())
    return invalid_argument("each side needs a contract, its own or the ledger's");
  TRY(const auto zone, billing::common_zone(a.terms.company.contracts));
  TRY(auto usage, source.usage(zone, months));
  TRY(usage, billing::with_compute_profiles(std::move(usage), source.terms().programs));
  TRY(const auto comparison,
      billing::compare_terms(usage, a.terms.company, b.terms.company, months, wanted.by));
  return comparison_report(comparison, wanted.by);
}

}  // namespace

Response get_savings(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  if (call.query("period").empty())
    return problem(Problem::invalid_request, "savings are of a period, such as 2027-01 or 2027-Q1");
  const auto named = call.query("by");
  const auto by = billing::parse_savings_dimensions(named.empty() ? "program" : named);
  if (!by) return problem_of(by.error());
  const auto statement = statement_of(service, call);
  if (!statement) return problem_of(statement.error());
  return in_form(
      std::get<Form>(chosen), [&] { return billing::savings_json(statement.value(), by.value()); },
      [&] { return billing::savings_csv(statement.value(), by.value()); },
      [&] { return billing::savings_table(statement.value(), by.value()); });
}

void post_savings_statement(Service& service, Call call, Reply reply) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  auto before = answered_already(service, call);
  if (!before) return reply(problem_of(before.error()));
  if (before.value()) return reply(std::move(*before.value()));
  auto made = finalizing(service, call, std::get<0>(body));
  if (!made) return reply(problem_of(made.error()));
  if (made.value().same) return reply(known_already(*made.value().same));
  auto draft = std::move(made.value().draft);
  draft.author = call.principal.author();
  append_and_answer(service, std::move(call), std::move(reply), std::move(draft));
}

Response list_savings_statements(Service& service, const Call& call) {
  return list_documents(service, call, savings_statement_kind);
}

Response get_savings_statement(Service& service, const Call& call) {
  const auto id = call.parameters[0] + "/" + call.parameters[1];
  const auto documents = service.ledger().documents();
  const auto latest =
      documents.latest({call.principal.name_space, std::string(savings_statement_kind), id});
  if (!latest) return problem_of(latest.error());
  if (!latest.value())
    return problem(Problem::not_found, "there is no finalized statement '" + id + "'");
  const auto document = documents.read(*latest.value());
  if (!document) return problem_of(document.error());
  return document_response(call, document.value());
}

Response post_comparison(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return *refused;
  const auto wanted = parse_comparison(std::get<0>(body));
  if (!wanted) return problem_of(wanted.error());
  const auto report = compared(service, call, wanted.value());
  if (!report) return problem_of(report.error());
  const auto& table = report.value();
  return in_form(
      std::get<Form>(chosen), [&] { return table.json(); }, [&] { return table.csv(); },
      [&] { return table.text(); });
}

Result<std::vector<ProgramMonth>> program_months(const LedgerView& view, int32_t month) {
  TRY(const auto source, SavingsSource::open(view, {}, false));
  std::vector<ProgramMonth> states;
  const auto& terms = source.terms();
  if (terms.programs.empty() || terms.company.contracts.empty()) return states;
  billing::SavingsRequest request;
  request.first_month = month;
  request.last_month = month;
  TRY(const auto statement, source.statement(request));
  for (const auto& summary : billing::summarize(statement)) {
    ProgramMonth state;
    state.program = summary.program->id;
    state.currency = statement.currency.code();
    state.month = format_month(month);
    state.net = money_text(statement.currency, summary.figures.net());
    if (summary.acceptance) state.acceptance_ppm = to_ppm(*summary.acceptance);
    state.qualification = std::string(to_string(summary.qualification));
    state.accepted = summary.figures.accepted;
    state.ended = summary.figures.ended();
    states.push_back(std::move(state));
  }
  return states;
}

int64_t to_ppm(const billing::Rational& share) {
  return static_cast<int64_t>(
      (share * billing::Rational(1'000'000)).rounded(billing::Rounding::half_even));
}

Response list_programs(Service& service, const Call& call) {
  const auto view = view_of(service, call);
  if (!view) return problem_of(view.error());
  const auto zone = TimeZone::find(view.value().reader->config().time_zone);
  if (!zone) return problem_of(zone.error());
  auto month = zone.value().local_month(service.clock().now());
  if (const auto wanted = call.query("period"); !wanted.empty()) {
    const auto parsed = parse_month(wanted);
    if (!parsed) return problem_of(parsed.error());
    month = parsed.value();
  }
  const auto states = program_months(view.value(), month);
  if (!states) return problem_of(states.error());
  JsonValue json;
  json["as_of_sequence"] = as_json(view.value().reader->head().sequence);
  json["items"] = JsonValue::Array();
  for (const auto& state : states.value()) {
    JsonValue item;
    item["program"] = state.program;
    item["month"] = state.month;
    item["currency"] = state.currency;
    item["net"] = state.net;
    item["accepted"] = state.accepted;
    item["ended"] = state.ended;
    if (state.acceptance_ppm) item["acceptance_ppm"] = *state.acceptance_ppm;
    item["qualification"] = state.qualification;
    json["items"].push_back(std::move(item));
  }
  return ok(json.canonical());
}

}  // namespace gauger::exporters
