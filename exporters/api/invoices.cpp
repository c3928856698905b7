// Finalized invoices and credit notes in every format, and finalizing a month. A token that is
// bound to teams sees the documents that bill its teams; any other looks like none.
#include "exporters/accounting/invoice_export.h"
#include "exporters/api/documents.h"
#include "exporters/api/handlers.h"
#include "exporters/api/invoice_month.h"
#include "exporters/documents/invoice_csv.h"
#include "ledger/backup/incarnation.h"

namespace gauger::exporters {
namespace {

using billing::Fields;
using billing::Invoice;
using billing::JsonValue;

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

// Credit notes and debit notes have routes of their own beside those of all documents.
bool is_asked_for(const Call& call, const Invoice& invoice) {
  if (!call.principal.sees_team(invoice.header.bill_to.id)) return false;
  const bool notes = call.route->path.starts_with("/v1/credit-notes");
  return !notes || invoice.header.type != billing::InvoiceType::invoice;
}

std::vector<Invoice> chosen_invoices(const InvoiceStore& store, const Call& call) {
  std::vector<Invoice> chosen;
  const auto period = call.query("period");
  const auto bill_to = call.query("bill_to");
  for (const auto& invoice : store.invoices()) {
    const auto& header = invoice.header;
    if (!is_asked_for(call, invoice)) continue;
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

struct FinalizeCall {
  MonthCall month;
  Finalizing how;
};

Result<FinalizeCall> parse_finalize(const billing::Node& node, const Principal& principal) {
  TRY(auto fields, Fields::of("the body", node, "what to finalize"));
  FinalizeCall call;
  TRY(call.month, parse_month_call(fields));
  TRY(call.how.force, flag_of(fields, "force"));
  TRY(call.how.reason, text_or(fields, "reason", ""));
  TRY(fields.finish());
  call.how.author = principal.author();
  if (call.how.force && call.how.reason.empty())
    return invalid_argument("to force an invoice needs a reason, which goes on record");
  return call;
}

Result<std::vector<ledger::DocumentDraft>> finalized(Service& service, const Call& call,
                                                     const billing::Node& body) {
  TRY(const auto wanted, parse_finalize(body, call.principal));
  TRY(auto open, OpenMonth::open(service, call, wanted.month));
  TRY(ledger::check_confirmed(open->view.documents(), open->store.issuer().party.id));
  TRY(const auto* rated, open->bill_to());
  TRY(const auto seal, seal_month(open->books(), open->rating(), open->terms, wanted.how,
                                  wanted.month.bill_to, wanted.month.month, *rated));
  return note_drafts(open->store, seal, open->terms, wanted.how.author, wanted.how.reason);
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

Response no_document(const Call& call) {
  const bool notes = call.route->path.starts_with("/v1/credit-notes");
  return problem(Problem::not_found, std::string("there is no ") +
                                         (notes ? "credit note" : "invoice") + " '" +
                                         call.parameters[0] + "'");
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
  if (!found || !is_asked_for(call, *found.value())) return no_document(call);
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
  append_worked_out(service, std::move(call), std::move(reply), finalized);
}

}  // namespace gauger::exporters
