// Finalized invoices and credit notes in every format, and finalizing a month. A token that is
// bound to teams sees the documents that bill its teams; any other looks like none.
#include "billing/document.h"
#include "exporters/accounting/invoice_export.h"
#include "exporters/accounting/invoice_making.h"
#include "exporters/accounting/terms_posting.h"
#include "exporters/api/accounting.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"
#include "exporters/documents/invoice_csv.h"
#include "ledger/backup/incarnation.h"

namespace gauger::exporters {
namespace {

using billing::Fields;
using billing::Invoice;
using billing::JsonValue;

Result<InvoiceStore> store_of(const LedgerView& view, std::string_view issuer) {
  return InvoiceStore::open(view.documents(), std::string(issuer), view.reader->config().time_zone,
                            view.name_space);
}

JsonValue item_of(const InvoiceStore& store, const Invoice& invoice) {
  const auto& header = invoice.header;
  JsonValue item;
  item["number"] = invoice.number;
  item["id"] = invoice.id();
  item["type"] = to_string(header.type);
  item["month"] = format_month(header.month);
  item["bill_to"] = header.bill_to.id;
  item["total"] = header.currency.format_minor(invoice.total_minor);
  item["currency"] = header.currency.code();
  item["state"] = state_of(store, invoice);
  item["issued_at"] = format_instant(header.issued_at);
  item["hash"] = invoice.hash;
  return item;
}

std::vector<Invoice> chosen_invoices(const InvoiceStore& store, const Call& call) {
  std::vector<Invoice> chosen;
  const auto period = call.query("period");
  const auto bill_to = call.query("bill_to");
  for (const auto& invoice : store.invoices()) {
    const auto& header = invoice.header;
    if (!call.principal.sees_team(header.bill_to.id)) continue;
    if (!period.empty() && format_month(header.month) != period) continue;
    if (bill_to.empty() || header.bill_to.id == bill_to) chosen.push_back(invoice);
  }
  return chosen;
}

// A page in the order of the numbers; the cursor is the last number.
JsonValue page_of(const InvoiceStore& store, const Call& call, const Page& page,
                  const std::vector<Invoice>& chosen, uint64_t as_of) {
  JsonValue json;
  json["as_of_sequence"] = as_json(as_of);
  JsonValue::Array items;
  std::string last;
  for (const auto& invoice : chosen) {
    const auto number = std::to_string(invoice.number);
    const bool before = page.after.size() > number.size() ||
                        (page.after.size() == number.size() && page.after >= number);
    if (before) continue;
    if (items.size() == page.limit) {
      json["next_cursor"] = make_cursor(call, last);
      break;
    }
    items.push_back(item_of(store, invoice));
    last = number;
  }
  json["items"] = std::move(items);
  return json;
}

// The texts of the terms that the body names by their ids, as they are in force for the month.
Result<InvoiceTerms> terms_of_body(const LedgerView& view, int32_t month,
                                   const std::vector<std::pair<std::string, std::string>>& named) {
  std::vector<std::pair<std::string, NamedText>> texts;
  const auto documents = view.documents();
  for (const auto& [kind, id] : named) {
    if (id.empty()) continue;
    std::vector<billing::TermsVersion> times;
    std::vector<ledger::DocumentVersion> versions;
    TRY(documents.each(view.name_space, kind,
                       [&](const ledger::DocumentVersion& version) -> Result<bool> {
                         if (version.key.id != id) return true;
                         times.push_back({version.applies_from, version.known_from});
                         versions.push_back(version);
                         return true;
                       }));
    const auto index = billing::version_in_force(times, month);
    if (!index)
      return Error{ErrorCode::not_found,
                   "there is no " + kind + " '" + id + "' for " + format_month(month)};
    TRY(auto document, documents.read(versions[*index]));
    texts.emplace_back(kind,
                       NamedText{document_name(versions[*index]), std::move(document.content)});
  }
  return parse_invoice_terms(texts);
}

struct FinalizeCall {
  std::string issuer;
  std::string bill_to;
  int32_t month = 0;
  std::vector<std::pair<std::string, std::string>> terms;  // kind, id
  Finalizing how;
};

Result<FinalizeCall> parse_finalize(const billing::Node& node, const Principal& principal) {
  TRY(auto fields, Fields::of("the body", node, "what to finalize"));
  FinalizeCall call;
  TRY(const auto period, text_of(fields, "period"));
  TRY(call.month, parse_month(period));
  TRY(call.bill_to, text_of(fields, "bill_to"));
  TRY(call.issuer, text_or(fields, "issuer", ""));
  for (const auto* kind : {"price_book", "model_catalog", "organisation"}) {
    TRY(auto id, text_or(fields, kind, ""));
    call.terms.emplace_back(kind, std::move(id));
  }
  TRY(call.how.force, flag_of(fields, "force"));
  TRY(call.how.reason, text_or(fields, "reason", ""));
  TRY(fields.finish());
  call.how.author = principal.author();
  if (call.how.force && call.how.reason.empty())
    return invalid_argument("to force an invoice needs a reason, which goes on record");
  return call;
}

Result<std::vector<ledger::DocumentDraft>> finalized(Service& service, const Call& call,
                                                     const FinalizeCall& wanted) {
  TRY(const auto view, view_of(service, call));
  TRY(const auto store, store_of(view, wanted.issuer));
  TRY(ledger::check_confirmed(view.documents(), store.issuer().party.id));
  TRY(const auto terms, terms_of_body(view, wanted.month, wanted.terms));
  const auto now = service.clock().now();
  TRY(auto rating, InvoiceRating::open(view, store, now));
  TRY(const auto months, rating.month(wanted.month, terms));
  const auto rated = months.find(wanted.bill_to);
  if (rated == months.end())
    return Error{ErrorCode::not_found,
                 wanted.bill_to + " has no usage in " + format_month(wanted.month)};
  const InvoiceBooks books{view, store, now};
  TRY(const auto seal,
      seal_month(books, rating, terms, wanted.how, wanted.bill_to, wanted.month, rated->second));
  Invoice invoice;
  TRY(auto drafts, finalizing_drafts(store, seal, terms, wanted.how.author, invoice));
  drafts.front().reason = wanted.how.reason;
  return drafts;
}

std::string_view format_of(Form form) {
  switch (form) {
    case Form::json: return "json";
    case Form::csv: return "csv";
    case Form::pdf: return "pdf";
    case Form::focus: return "focus";
    case Form::text: break;
  }
  return {};
}

Response no_invoice(const Call& call) {
  return problem(Problem::not_found, "there is no invoice '" + call.parameters[0] + "'");
}

}  // namespace

Response list_invoices(Service& service, const Call& call) {
  const auto form_chosen = choose_form(call, {Form::json, Form::csv, Form::focus, Form::text});
  if (const auto* refused = std::get_if<Response>(&form_chosen)) return *refused;
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  if (const auto period = call.query("period"); !period.empty()) {
    if (const auto month = parse_month(period); !month) return problem_of(month.error());
  }
  const auto view = view_of(service, call);
  if (!view) return problem_of(view.error());
  const auto store = store_of(view.value(), call.query("issuer"));
  if (!store) return problem_of(store.error());
  const auto chosen = chosen_invoices(store.value(), call);
  const auto form = std::get<Form>(form_chosen);
  if (form == Form::csv) return ok(invoices_report(store.value(), chosen).csv(), form);
  if (form == Form::text) return ok(invoices_report(store.value(), chosen).text(), form);
  if (form == Form::focus) {
    auto rows = export_invoices(chosen, "focus");
    return rows ? ok(std::move(rows.value()), Form::focus) : problem_of(rows.error());
  }
  return ok(page_of(store.value(), call, page.value(), chosen, view.value().reader->head().sequence)
                .canonical());
}

Response get_invoice(Service& service, const Call& call) {
  const auto chosen =
      choose_form(call, {Form::json, Form::csv, Form::pdf, Form::focus, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto form = std::get<Form>(chosen);
  const auto view = view_of(service, call);
  if (!view) return problem_of(view.error());
  const auto store = store_of(view.value(), call.query("issuer"));
  if (!store) return problem_of(store.error());
  const auto found = store.value().invoice(call.parameters[0]);
  if (!found && found.error().code != ErrorCode::not_found) return problem_of(found.error());
  if (!found || !call.principal.sees_team(found.value()->header.bill_to.id))
    return no_invoice(call);
  const auto& invoice = *found.value();
  // A finalized document never changes, and each form of it is made of it alone.
  const auto etag = '"' + invoice.hash.substr(0, 32) + '-' +
                    std::string(form == Form::text ? "text" : format_of(form)) + '"';
  Response response;
  if (const auto wanted = call.head.header("if-none-match");
      !wanted.empty() && etag_matches(wanted, etag)) {
    response.status = 304;
    response.content_type.clear();
  } else if (form == Form::text) {
    response = ok(invoice_table(invoice), form);
  } else {
    auto bytes = export_invoice(store.value(), invoice, std::string(format_of(form)));
    if (!bytes) return problem_of(bytes.error());
    response = ok(std::move(bytes.value()), form);
  }
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Vary", "Accept");
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  return response;
}

void post_invoice(Service& service, Call call, Reply reply) {
  const auto body = json_body(call);
  if (const auto* refused = std::get_if<Response>(&body)) return reply(*refused);
  const auto wanted = parse_finalize(std::get<0>(body), call.principal);
  if (!wanted) return reply(problem_of(wanted.error()));
  auto before = answered_already(service, call);
  if (!before) return reply(problem_of(before.error()));
  if (before.value()) return reply(std::move(*before.value()));
  auto drafts = finalized(service, call, wanted.value());
  if (!drafts) return reply(problem_of(drafts.error()));
  append_and_answer(service, std::move(call), std::move(reply), std::move(drafts.value()));
}

}  // namespace gauger::exporters
