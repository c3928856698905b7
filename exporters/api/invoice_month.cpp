#include "exporters/api/invoice_month.h"

#include "exporters/accounting/terms_posting.h"

namespace gauger::exporters {
namespace {

constexpr std::array terms_kinds = {"price_book", "model_catalog", "organisation"};

}  // namespace

Result<NamedTerms> parse_named_terms(billing::Fields& fields) {
  NamedTerms terms;
  for (const auto* kind : terms_kinds) {
    TRY(auto id, text_or(fields, kind, ""));
    terms.emplace_back(kind, std::move(id));
  }
  return terms;
}

NamedTerms named_terms_of_query(const Call& call) {
  NamedTerms terms;
  for (const auto* kind : terms_kinds) terms.emplace_back(kind, std::string(call.query(kind)));
  return terms;
}

Result<MonthCall> parse_month_call(billing::Fields& fields) {
  MonthCall call;
  TRY(const auto period, text_of(fields, "period"));
  TRY(call.month, parse_month(period));
  TRY(call.bill_to, text_of(fields, "bill_to"));
  TRY(call.issuer, text_or(fields, "issuer", ""));
  TRY(call.terms, parse_named_terms(fields));
  return call;
}

Result<MonthCall> parse_month_query(const Call& call) {
  MonthCall wanted;
  if (call.query("period").empty()) return invalid_argument("period is a month, such as 2026-10");
  TRY(wanted.month, parse_month(call.query("period")));
  wanted.bill_to = std::string(call.query("bill_to"));
  wanted.issuer = std::string(call.query("issuer"));
  wanted.terms = named_terms_of_query(call);
  return wanted;
}

Result<InvoiceStore> store_of(const LedgerView& view, std::string_view issuer) {
  return InvoiceStore::open(view.documents(), std::string(issuer), view.reader->config().time_zone,
                            view.name_space);
}

Result<InvoiceTerms> invoice_terms_in_force(const LedgerView& view, int32_t month,
                                            const NamedTerms& named) {
  std::vector<std::pair<std::string, NamedText>> texts;
  const auto documents = view.documents();
  for (const auto& [kind, id] : named) {
    if (id.empty()) continue;
    std::vector<billing::TermsVersion> times;
    std::vector<ledger::DocumentVersion> versions;
    TRY(documents.each(view.name_space, kind,
                       [&, &wanted = id](const ledger::DocumentVersion& version) -> Result<bool> {
                         if (version.key.id != wanted) return true;
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

Result<std::unique_ptr<OpenMonth>> OpenMonth::open(Service& service, const Call& call,
                                                   MonthCall wanted) {
  TRY(auto view, view_of(service, call));
  TRY(auto store, store_of(view, wanted.issuer));
  auto open = std::unique_ptr<OpenMonth>(
      new OpenMonth(std::move(wanted), std::move(view), std::move(store), service.clock().now()));
  TRY(open->terms, invoice_terms_in_force(open->view, open->wanted.month, open->wanted.terms));
  TRY(auto rating, InvoiceRating::open(open->view, open->store, open->now));
  open->rating_.emplace(std::move(rating));
  TRY(open->months, open->rating_->month(open->wanted.month, open->terms));
  return open;
}

Result<const RatedBillTo*> OpenMonth::bill_to() const {
  const auto rated = months.find(wanted.bill_to);
  if (rated == months.end())
    return Error{ErrorCode::not_found,
                 wanted.bill_to + " has no usage in " + format_month(wanted.month)};
  return &rated->second;
}

Result<std::vector<ledger::DocumentDraft>> note_drafts(const InvoiceStore& store,
                                                       const billing::Seal& seal,
                                                       const InvoiceTerms& terms,
                                                       const std::string& author,
                                                       const std::string& reason) {
  billing::Invoice invoice;
  TRY(auto drafts, finalizing_drafts(store, seal, terms, author, invoice));
  drafts.front().reason = reason;
  return drafts;
}

}  // namespace gauger::exporters
