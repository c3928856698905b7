#include "exporters/accounting/invoice_rating.h"

#include <fmt/format.h>

#include <algorithm>

#include "billing/contracts/closed_month.h"
#include "billing/contracts/company.h"
#include "billing/document.h"
#include "exporters/accounting/usage_reading.h"

namespace gauger::exporters {
namespace {

using billing::BlockerKind;
using billing::TermsReference;

Result<void> add_terms(InvoiceTerms& terms, std::string_view kind, std::string text,
                       const std::string& file) {
  TermsReference reference{std::string(kind), {}, {}, billing::sha256_hex(text)};
  if (kind == "price_book") {
    TRY(auto book, billing::parse_price_book(text, file));
    reference.id = book.id;
    reference.version = book.version;
    terms.book = std::move(book);
  } else if (kind == "model_catalog") {
    TRY(auto catalog, billing::parse_model_catalog(text, file));
    reference.id = catalog.id;
    reference.version = catalog.version;
    terms.catalog = std::move(catalog);
  } else if (kind == "organisation") {
    TRY(auto organisation, billing::parse_organisation(text, file));
    reference.id = organisation.id;
    reference.version = organisation.version;
    terms.organisation = std::move(organisation);
  } else {
    return corruption(file + ": an invoice names terms of the unknown kind '" + std::string(kind) +
                      "'");
  }
  terms.references.push_back(std::move(reference));
  terms.texts.push_back(std::move(text));
  return success();
}

// What a record in quarantine says of itself, if it is JSON.
std::optional<std::pair<std::string, Instant>> owner_of(const ledger::QuarantinedRecord& record) {
  const auto root = billing::parse_json(record.raw, "record");
  if (!root.has_value() || root.value().kind != billing::Node::Kind::map) return std::nullopt;
  const auto* team = root.value().find("team");
  const auto* at = root.value().find("completed_at");
  if (team == nullptr || at == nullptr || team->text.empty()) return std::nullopt;
  const auto instant = parse_instant(at->text);
  if (!instant.has_value()) return std::nullopt;
  return std::pair(team->text, instant.value());
}

}  // namespace

Result<InvoiceTerms> parse_invoice_terms(
    const std::vector<std::pair<std::string, NamedText>>& texts) {
  InvoiceTerms terms;
  for (const auto& [kind, document] : texts) {
    TRY(add_terms(terms, kind, document.text, document.name));
  }
  std::sort(terms.references.begin(), terms.references.end());
  return terms;
}

Result<InvoiceTerms> read_invoice_terms(const InvoiceStore& store,
                                        const std::vector<TermsReference>& references) {
  InvoiceTerms terms;
  const bool contracts =
      std::any_of(references.begin(), references.end(),
                  [](const auto& reference) { return reference.kind == billing::allocation_kind; });
  for (const auto& reference : references) {
    // A closed month names terms that lie in the ledger under names of their own.
    if (contracts && (reference.kind != "organisation" || !store.has_terms(reference.content_hash)))
      continue;
    TRY(auto text, store.terms(reference.content_hash));
    TRY(add_terms(terms, reference.kind, std::move(text),
                  reference.kind + " " + reference.id + " " + reference.version));
  }
  std::sort(terms.references.begin(), terms.references.end());
  if (!terms.book && !contracts)
    return corruption("an invoice names neither a price book nor a closed month");
  return terms;
}

Result<InvoiceRating> InvoiceRating::open(const LedgerView& view, const InvoiceStore& store,
                                          Instant now) {
  InvoiceRating rating(view, store, now);
  TRY(rating.read_quarantine());
  return rating;
}

Result<void> InvoiceRating::read_quarantine() {
  return view_->reader->quarantined([&](const ledger::QuarantinedRecord& record) {
    if (view_->own_usage && record.name_space != view_->name_space) return true;
    if (auto owner = owner_of(record))
      bad_records_.push_back({std::move(owner->first), owner->second, record.reason});
    else
      ++unattributable_;
    return true;
  });
}

std::vector<billing::Blocker> InvoiceRating::incomplete(Interval period) const {
  std::vector<billing::Blocker> blockers;
  const auto until = format_instant(period.until);
  if (now_ < period.until)
    blockers.push_back({BlockerKind::incomplete,
                        "the period ends at " + until + ", and it is " + format_instant(now_), 1});
  for (const auto& position : view_->reader->positions()) {
    if (!ledger::keeps_position(position.source)) continue;
    if (position.complete_at && *position.complete_at >= period.until) continue;
    billing::Blocker blocker{
        BlockerKind::incomplete,
        fmt::format("partition {} of {} is read up to {}, the period ends at {}",
                    position.partition, position.source,
                    position.complete_at ? format_instant(*position.complete_at) : "no known time",
                    until),
        1};
    blocker.subject.item = fmt::format("{}/{}", position.source, position.partition);
    blockers.push_back(std::move(blocker));
  }
  return blockers;
}

void InvoiceRating::add_ledger_blockers(const billing::Organisation* organisation, Interval period,
                                        billing::BillToMonths& months) const {
  const auto late = incomplete(period);
  for (auto& [bill_to, rated] : months)
    rated.blockers.insert(rated.blockers.end(), late.begin(), late.end());
  for (const auto& record : bad_records_) {
    if (!period.contains(record.at)) continue;
    const auto found = months.find(billing::bill_to_at(organisation, record.team, record.at));
    if (found == months.end()) continue;
    const bool conflict = record.reason == RejectReason::conflict;
    const auto reason = std::string(to_string(record.reason));
    billing::Blocker blocker{conflict ? BlockerKind::conflicting : BlockerKind::quarantined,
                             "records of team " + record.team + " are in quarantine: " + reason +
                                 "; see `gauger quarantine list --reason " + reason + "`",
                             1};
    blocker.subject.item = reason;
    found->second.blockers.push_back(std::move(blocker));
  }
}

Result<RatedBillTos> InvoiceRating::month(int32_t month, const InvoiceTerms& terms) const {
  const auto& zone = issuer().zone;
  ledger::UsageQuery query;
  query.interval = {zone.month_begin(month), zone.month_begin(month + 1)};
  query.bucket = ledger::Bucket::grain;
  TRY(auto usage, read_usage(*view_, query));
  billing::leave_unattributed(usage);
  return terms.book ? month_of_book(usage, terms, query.interval, month)
                    : month_of_contracts(usage, terms, query.interval, month);
}

Result<RatedBillTos> InvoiceRating::month_of_book(const UsageTable& usage,
                                                  const InvoiceTerms& terms, Interval period,
                                                  int32_t month) const {
  std::vector<billing::Decision> decisions;
  for (const auto& decision : store_->decisions())
    if (decision.month == month) decisions.push_back(decision);
  const auto* organisation = terms.organisation ? &*terms.organisation : nullptr;
  const billing::BookTerms book{*terms.book, terms.catalog ? &*terms.catalog : nullptr,
                                organisation, issuer().zone};
  TRY(auto months, billing::rate_bill_tos(usage, book, month, decisions));
  add_ledger_blockers(organisation, period, months);
  return settled(std::move(months), month);
}

Result<RatedBillTos> InvoiceRating::settled(billing::BillToMonths months, int32_t month) const {
  RatedBillTos rated;
  for (auto& [bill_to, one] : months) {
    auto& result = rated[bill_to];
    result.settled =
        settle(std::move(one.month), one.blockers, store_->decisions(bill_to, month), one.currency);
    result.currency = one.currency;
    result.usage = std::move(one.usage);
  }
  return rated;
}

std::vector<TermsReference> InvoiceRating::terms_of(const std::string& bill_to,
                                                    int32_t month) const {
  std::vector<TermsReference> terms;
  for (const auto& invoice : store_->invoices())
    if (invoice.header.bill_to.id == bill_to && invoice.header.month == month &&
        !invoice.header.voids)
      terms = invoice.header.terms;
  return terms;
}

Result<std::vector<billing::Settled>> InvoiceRating::earlier(const std::string& bill_to,
                                                             const billing::Currency& currency,
                                                             int32_t but_for) {
  const billing::Booked booked(store_->invoices(), bill_to, currency);
  std::vector<billing::Settled> settled;
  for (const auto month : booked.invoiced_months()) {
    if (month == but_for) continue;
    // Usage that retention gathered into whole days cannot be rated again: its invoices stand.
    if (issuer().zone.month_begin(month) < view_->reader->fine_from()) continue;
    const auto references = terms_of(bill_to, month);
    auto found = earlier_.find({month, references});
    if (found == earlier_.end()) {
      TRY(const auto terms, read_invoice_terms(*store_, references));
      TRY(auto rated, this->month(month, terms));
      found = earlier_.emplace(std::pair(month, references), std::move(rated)).first;
    }
    const auto rated = found->second.find(bill_to);
    // A bill-to whose usage was all taken back has a month of nothing.
    settled.push_back(rated != found->second.end() ? rated->second.settled
                                                   : billing::Settled{{month, {}}, {}, {}});
  }
  return settled;
}

}  // namespace gauger::exporters
