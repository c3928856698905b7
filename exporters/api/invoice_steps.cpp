// What leads to an invoice and what may follow it: review and decisions before, corrections and
// voiding after. Each write is worked out aside and appended on the committing thread, which
// refuses it where another document took its number in between.
#include "exporters/accounting/invoice_correcting.h"
#include "exporters/accounting/invoice_review.h"
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
using Drafts = std::vector<ledger::DocumentDraft>;

// --- review ---------------------------------------------------------------------------------

JsonValue row_json(const ReviewRow& row) {
  JsonValue json;
  json["bill_to"] = row.bill_to;
  json["state"] = row.state;
  json["total"] = row.total;
  json["currency"] = row.currency;
  json["blockers"] = JsonValue::Array();
  for (const auto& [id, blocker] : row.open) {
    JsonValue one;
    one["id"] = id;
    one["kind"] = to_string(blocker.kind);
    one["quantity"] = blocker.quantity;
    one["sentence"] = blocker.sentence;
    json["blockers"].push_back(std::move(one));
  }
  return json;
}

struct ReviewPage {
  std::vector<ReviewRow> rows;
  std::string next;  // the last one's name, where there are more
  uint64_t as_of = 0;
};

// Only what stands on the page is worked out.
Result<ReviewPage> review_page(Service& service, const Call& call, const Page& page) {
  TRY(auto wanted, parse_month_query(call));
  const auto only = wanted.bill_to;
  TRY(auto open, OpenMonth::open(service, call, std::move(wanted)));
  ReviewPage found;
  found.as_of = open->rating().as_of();
  for (const auto& [bill_to, rated] : open->months) {
    if ((!only.empty() && bill_to != only) || bill_to <= page.after) continue;
    if (found.rows.size() == page.limit) {
      found.next = found.rows.back().bill_to;
      break;
    }
    TRY(auto row,
        review_row(open->books(), open->rating(), open->terms, bill_to, open->wanted.month, rated));
    found.rows.push_back(std::move(row));
  }
  return found;
}

Result<Drafts> reviewed(Service& service, const Call& call, const billing::Node& body) {
  TRY(auto fields, Fields::of("the body", body, "a review"));
  TRY(auto wanted, parse_month_call(fields));
  TRY(fields.finish());
  TRY(auto open, OpenMonth::open(service, call, std::move(wanted)));
  TRY(const auto* rated, open->bill_to());
  TRY(const auto review, review_of(open->books(), open->rating(), open->terms, open->wanted.bill_to,
                                   open->wanted.month, *rated, call.principal.author()));
  return Drafts{open->store.draft_of(review)};
}

// --- decisions ------------------------------------------------------------------------------

struct DecideCall {
  MonthCall month;
  Deciding deciding;
};

Result<DecideCall> parse_decide(const billing::Node& body, const Principal& principal) {
  TRY(auto fields, Fields::of("the body", body, "a decision"));
  DecideCall call;
  auto& deciding = call.deciding;
  TRY(call.month, parse_month_call(fields));
  TRY(const auto blocker, text_or(fields, "blocker", ""));
  TRY(deciding.kind, text_or(fields, "kind", ""));
  TRY(auto action, text_of(fields, "action"));
  TRY(deciding.action, parse_decision_action(std::move(action), "action"));
  TRY(const auto price, text_or(fields, "price", ""));
  if (!price.empty()) {
    TRY(deciding.price, billing::parse_price_text(price));
  }
  TRY(deciding.reason, text_of(fields, "reason"));
  TRY(fields.finish());
  if (blocker.empty() == deciding.kind.empty())
    return invalid_argument("name what is decided: its blocker, or the kind for all of a kind");
  if (!blocker.empty()) deciding.blockers.push_back(blocker);
  deciding.by = principal.author();
  return call;
}

Result<Drafts> decided(Service& service, const Call& call, const billing::Node& body) {
  TRY(auto wanted, parse_decide(body, call.principal));
  TRY(auto open, OpenMonth::open(service, call, std::move(wanted.month)));
  TRY(const auto* rated, open->bill_to());
  TRY(const auto decisions,
      decisions_of(wanted.deciding, open->wanted.bill_to, open->wanted.month, *rated, open->now));
  Drafts drafts;
  for (const auto& decision : decisions) drafts.push_back(open->store.draft_of(decision));
  if (drafts.empty())
    return Error{ErrorCode::not_found,
                 "nothing such is open; GET /v1/invoices/review lists what is"};
  return drafts;
}

// --- corrections ----------------------------------------------------------------------------

struct NoteCall {
  std::string issuer;
  std::string reason;
  NamedTerms terms;
};

Result<NoteCall> parse_note(const billing::Node& body, bool with_terms) {
  TRY(auto fields, Fields::of("the body", body, with_terms ? "a correction" : "a voiding"));
  NoteCall call;
  TRY(call.issuer, text_or(fields, "issuer", ""));
  TRY(call.reason, text_of(fields, "reason"));
  if (with_terms) {
    TRY(call.terms, parse_named_terms(fields));
  }
  TRY(fields.finish());
  return call;
}

// The books with the document that is meant.
struct Corrected {
  LedgerView view;
  InvoiceStore store;
  Instant now;
  Invoice invoice;

  InvoiceBooks books() const { return {view, store, now}; }
};

Result<Corrected> open_corrected(Service& service, const Call& call, std::string_view issuer) {
  TRY(auto view, view_of(service, call));
  TRY(auto store, store_of(view, issuer));
  TRY(const auto* found, store.invoice(call.parameters[0]));
  auto invoice = *found;
  return Corrected{std::move(view), std::move(store), service.clock().now(), std::move(invoice)};
}

Result<Correction> correction_with(const Corrected& at, const NamedTerms& named,
                                   const std::string& reason) {
  std::optional<InvoiceTerms> terms;
  for (const auto& [kind, id] : named)
    if (kind == "price_book" && !id.empty()) {
      TRY(terms, invoice_terms_in_force(at.view, at.invoice.header.month, named));
    }
  return correction_of(at.books(), at.invoice, std::move(terms), reason);
}

Result<Drafts> corrected(Service& service, const Call& call, const billing::Node& body) {
  TRY(const auto wanted, parse_note(body, true));
  TRY(const auto at, open_corrected(service, call, wanted.issuer));
  TRY(ledger::check_confirmed(at.view.documents(), at.store.issuer().party.id));
  TRY(const auto note, correction_with(at, wanted.terms, wanted.reason));
  return note_drafts(at.store, note.seal, note.terms, call.principal.author(), wanted.reason);
}

Result<Drafts> voided(Service& service, const Call& call, const billing::Node& body) {
  TRY(const auto wanted, parse_note(body, false));
  TRY(const auto at, open_corrected(service, call, wanted.issuer));
  TRY(ledger::check_confirmed(at.view.documents(), at.store.issuer().party.id));
  TRY(const auto seal, void_of(at.books(), at.invoice, wanted.reason));
  return note_drafts(at.store, seal, {}, call.principal.author(), wanted.reason);
}

Result<Invoice> correction_preview(Service& service, const Call& call) {
  TRY(const auto at, open_corrected(service, call, call.query("issuer")));
  TRY(const auto note, correction_with(at, named_terms_of_query(call), ""));
  Invoice preview;
  TRY(at.store.drafts_of(note.seal, "preview", preview));
  return preview;
}

}  // namespace

Response get_invoice_review(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  const auto found = review_page(service, call, page.value());
  if (!found) return problem_of(found.error());
  const auto& rows = found.value().rows;
  const auto json = [&] {
    JsonValue all;
    all["as_of_sequence"] = as_json(found.value().as_of);
    all["items"] = JsonValue::Array();
    for (const auto& row : rows) all["items"].push_back(row_json(row));
    if (!found.value().next.empty()) all["next_cursor"] = make_cursor(call, found.value().next);
    return all.canonical();
  };
  return in_form(
      std::get<Form>(chosen), json, [&] { return review_table(rows).csv(); },
      [&] { return review_table(rows).text(); });
}

Response get_invoice_correction(Service& service, const Call& call) {
  const auto chosen = choose_form(call, {Form::json, Form::csv, Form::text});
  if (const auto* refused = std::get_if<Response>(&chosen)) return *refused;
  const auto note = correction_preview(service, call);
  if (!note) return problem_of(note.error());
  return in_form(
      std::get<Form>(chosen), [&] { return to_json(note.value()); },
      [&] { return invoice_csv(note.value()); }, [&] { return invoice_table(note.value()); });
}

void post_invoice_review(Service& service, Call call, Reply reply) {
  append_worked_out(service, std::move(call), std::move(reply), reviewed);
}
void post_invoice_decision(Service& service, Call call, Reply reply) {
  append_worked_out(service, std::move(call), std::move(reply), decided);
}
void post_invoice_correction(Service& service, Call call, Reply reply) {
  append_worked_out(service, std::move(call), std::move(reply), corrected);
}
void post_invoice_void(Service& service, Call call, Reply reply) {
  append_worked_out(service, std::move(call), std::move(reply), voided);
}

}  // namespace gauger::exporters
