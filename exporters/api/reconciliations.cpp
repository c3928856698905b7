// Providers' statements and what they are reconciled to.
#include "billing/json_value.h"
#include "billing/reconciliation/reconciliation.h"
#include "billing/reconciliation/statement_reader.h"
#include "exporters/accounting/reconcile_posting.h"
#include "exporters/accounting/reconciliation_list.h"
#include "exporters/api/accounting.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"

namespace gauger::exporters {
namespace {

using billing::Fields;
using billing::JsonValue;

constexpr size_t variances_listed = 1'000;

// --- statements -----------------------------------------------------------------------------

Result<billing::Statement> read_body(const Call& call) {
  billing::ReadOptions options;
  options.provider = std::string(call.query("provider"));
  options.currency = std::string(call.query("currency"));
  if (const auto zone = call.query("zone"); !zone.empty()) {
    TRY(options.zone, TimeZone::find(zone));
  }
  if (const auto period = call.query("period"); !period.empty()) {
    TRY(options.days, parse_days(std::string(period)));
  }
  if (const auto account = call.query("account"); !account.empty())
    options.accounts.emplace_back(account);
  if (const auto cost = call.query("cost"); !cost.empty()) {
    const auto found = find_name<billing::FocusCost>(billing::focus_cost_names, cost);
    if (!found) return invalid_argument("cost is billed, effective, contracted or list");
    options.cost = *found;
  }
  const billing::ReportFile file{"the body", call.body};
  const auto wanted = call.query("format");
  if (wanted.empty()) {
    TRY(const auto guessed, billing::guess_format(file));
    return billing::read_statement(guessed, std::span(&file, 1), options);
  }
  const auto format = find_name<billing::StatementFormat>(billing::statement_format_names, wanted);
  if (!format)
    return invalid_argument("'" + std::string(wanted) + "' is not a format of statements");
  return billing::read_statement(*format, std::span(&file, 1), options);
}

// --- reconciliations ------------------------------------------------------------------------

// A price book of the ledger in place of its contracts.
Result<std::optional<NamedText>> book_of(const LedgerView& view, std::string_view id) {
  if (id.empty()) return std::optional<NamedText>();
  const auto documents = view.documents();
  TRY(const auto latest, documents.latest(view.key("price_book", id)));
  if (!latest)
    return Error{ErrorCode::not_found, "there is no price_book '" + std::string(id) + "'"};
  TRY(auto document, documents.read(*latest));
  return std::optional(NamedText{document_name(*latest), std::move(document.content)});
}

struct Wanted {
  std::string provider;
  std::string period;
  std::string statement;
  std::string book;
};

Result<std::unique_ptr<ReconcileRun>> reconciled(const LedgerView& view, const Wanted& wanted) {
  ReconcileRequest request;
  request.provider = wanted.provider;
  request.period = wanted.period;
  if (!wanted.statement.empty()) request.statements.push_back(wanted.statement);
  TRY(request.book, book_of(view, wanted.book));
  return run_reconciliation(view, request);
}

Result<Wanted> parse_wanted(Fields& fields) {
  Wanted wanted;
  TRY(wanted.provider, text_of(fields, "provider"));
  TRY(wanted.period, text_or(fields, "period", ""));
  TRY(wanted.statement, text_or(fields, "statement", ""));
  TRY(wanted.book, text_or(fields, "book", ""));
  return wanted;
}

struct SignOff {
  Wanted wanted;
  std::string reason;
};

Result<SignOff> parse_sign_off_body(const billing::Node& node) {
  TRY(auto fields, Fields::of("the body", node, "a sign-off"));
  SignOff sign_off;
  TRY(sign_off.wanted, parse_wanted(fields));
  TRY(sign_off.reason, text_of(fields, "reason"));
  TRY(fields.finish());
  return sign_off;
}

Result<ledger::DocumentDraft> draft_of(const LedgerView& view, const ReconcileRun& run,
                                       const SignOff& sign_off, const Principal& principal) {
  const auto& result = run.result;
  ledger::DocumentDraft draft;
  draft.key = view.key(reconciliation_kind, reconciliation_id(result));
  TRY(const auto latest, view.documents().latest(draft.key));
  draft.applies_from = result.grain.zone.day_begin(result.grain.days.from);
  draft.author = principal.author();
  draft.reason = sign_off.reason;
  draft.content = sign_off_json(result, run.versions);
  draft.after_version = latest ? latest->version : 0;
  return draft;
}

Result<std::vector<ledger::DocumentDraft>> signed_off(Service& service, const Call& call,
                                                      const billing::Node& body) {
  TRY(const auto sign_off, parse_sign_off_body(body));
  TRY(const auto view, view_of(service, call));
  TRY(const auto run, reconciled(view, sign_off.wanted));
  TRY(auto draft, draft_of(view, *run, sign_off, call.principal));
  return std::vector{std::move(draft)};
}

// --- postings -------------------------------------------------------------------------------

struct PostCall {
  Wanted wanted;
  std::string reason;
  billing::PostingRules rules;
};

Result<PostCall> parse_post(const billing::Node& node) {
  TRY(auto fields, Fields::of("the body", node, "a posting"));
  PostCall call;
  TRY(call.wanted, parse_wanted(fields));
  TRY(call.reason, text_of(fields, "reason"));
  if (const auto* rules = fields.optional("rules")) {
    if (rules->kind != billing::Node::Kind::map)
      return fields.error("'rules' is an object of classes and their rules");
    for (const auto& [name, line, rule] : rules->members) {
      TRY(const auto text, billing::read_text("the body", rule, "a rule"));
      TRY(add_posting_rule(name, text, "'rules'", call.rules));
    }
  }
  TRY(fields.finish());
  return call;
}

Result<PostingDraft> posted(Service& service, const Call& call, const billing::Node& body) {
  TRY(const auto wanted, parse_post(body));
  TRY(const auto view, view_of(service, call));
  TRY(const auto run, reconciled(view, wanted.wanted));
  billing::TeamOf team_of;
  // The service's own mapping, which outlives the call.
  if (const auto* attribution = service.config().attribution; attribution != nullptr)
    team_of = team_of_accounts({std::shared_ptr<const ingest::Attribution>(), attribution},
                               wanted.wanted.provider, run->result.grain.zone);
  TRY(auto made, posting_of(view, *run, wanted.rules, team_of));
  made.draft.author = call.principal.author();
  made.draft.reason = wanted.reason;
  return made;
}

}  // namespace

Response list_statements(Service& service, const Call& call) {
  return list_documents(service, call, statement_kind);
}

void post_statement(Service& service, Call call, Reply reply) {
  const auto type = media_type(call.head.header("content-type"));
  if (type != "application/json" && type != "text/csv")
    return reply(problem(Problem::unsupported_media_type,
                         "a statement comes as application/json or text/csv"));
  auto statement = read_body(call);
  if (!statement) return reply(problem_of(statement.error()));
  ledger::DocumentDraft draft;
  draft.key = {call.principal.name_space, std::string(statement_kind), statement.value().id()};
  draft.content = billing::statement_text(statement.value());
  if (draft.content.size() > limits::document_bytes_max)
    return reply(problem(Problem::payload_too_large,
                         "the statement is larger than a document may be; load it in parts"));
  auto before = answered_already(service, call);
  if (!before) return reply(problem_of(before.error()));
  if (before.value()) return reply(std::move(*before.value()));
  const auto latest = service.ledger().documents().latest(draft.key);
  if (!latest) return reply(problem_of(latest.error()));
  const auto& known = latest.value();
  if (known && known->content_hash == ledger::sha256(draft.content))
    return reply(known_already(*known));
  const auto& coverage = statement.value().coverage;
  draft.applies_from = coverage.zone.day_begin(coverage.whole().from);
  draft.author = call.principal.author();
  draft.media_type = "text/csv";
  draft.after_version = known ? known->version : 0;
  append_and_answer(service, std::move(call), std::move(reply), std::move(draft));
}

Response list_reconciliations(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto lists =
      ReconciliationLists::read(service.ledger().documents(), call.principal.name_space);
  if (!lists) return problem_of(lists.error());
  const auto& value = lists.value();
  return in_form(
      std::get<Form>(chosen), [&] { return value.json(); }, [&] { return value.csv(); },
      [&] { return value.text(); });
}

Response get_reconciliation_report(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const Wanted wanted{std::string(call.query("provider")), std::string(call.query("period")),
                      std::string(call.query("statement")), std::string(call.query("book"))};
  if (wanted.provider.empty())
    return problem(Problem::invalid_request, "a reconciliation is with a provider");
  const auto view = view_of(service, call);
  if (!view) return problem_of(view.error());
  const auto run = reconciled(view.value(), wanted);
  if (!run) return problem_of(run.error());
  const auto& result = run.value()->result;
  return in_form(
      std::get<Form>(chosen), [&] { return reconciliation_json(result, variances_listed); },
      [&] { return reconciliation_csv(result); },
      [&] { return reconciliation_table(result, variances_listed); });
}

void post_reconciliation(Service& service, Call call, Reply reply) {
  append_worked_out(service, std::move(call), std::move(reply), signed_off);
}

Response list_postings(Service& service, const Call& call) {
  return list_documents(service, call, posting_kind);
}

void post_posting(Service& service, Call call, Reply reply) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  auto before = answered_already(service, call);
  if (!before) return reply(problem_of(before.error()));
  if (before.value()) return reply(std::move(*before.value()));
  auto made = posted(service, call, std::get<0>(body));
  if (!made) return reply(problem_of(made.error()));
  if (made.value().same) return reply(known_already(*made.value().same));
  append_and_answer(service, std::move(call), std::move(reply), std::move(made.value().draft));
}

}  // namespace gauger::exporters
