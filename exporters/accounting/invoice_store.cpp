#include "exporters/accounting/invoice_store.h"

#include "schemas/time_zone.h"

namespace gauger::exporters {
namespace {

using billing::Invoice;
using ledger::DocumentDraft;
using ledger::DocumentKey;
using ledger::DocumentVersion;

constexpr std::string_view issuer_kind = "issuer";
constexpr std::string_view invoice_kind = "invoice";
constexpr std::string_view seal_kind = "invoice_seal";
constexpr std::string_view decision_kind = "invoice_decision";
constexpr std::string_view review_kind = "invoice_review";
constexpr std::string_view terms_kind = "invoice_terms";

DocumentDraft draft_of_content(DocumentKey key, std::string author, std::string content) {
  DocumentDraft draft;
  draft.key = std::move(key);
  draft.author = std::move(author);
  draft.content = std::move(content);
  return draft;
}

Result<billing::Issuer> read_issuer(const ledger::Documents& documents, std::string_view name_space,
                                    const std::string& id, const std::string& ledger_zone) {
  TRY(const auto issuers, documents.list(name_space, issuer_kind));
  if (issuers.empty() && id.empty()) {
    billing::Issuer issuer;
    issuer.party = {"gauger", "gauger", {}, ""};
    issuer.number_prefix = "G-";
    TRY(issuer.zone, TimeZone::find(ledger_zone));
    return issuer;
  }
  if (issuers.size() > 1 && id.empty())
    return Error{ErrorCode::conflict, "there are " + std::to_string(issuers.size()) +
                                          " issuers; name one with --issuer"};
  for (const auto& version : issuers) {
    if (!id.empty() && version.key.id != id) continue;
    TRY(const auto document, documents.read(version));
    return billing::parse_issuer(document.content, "issuer " + version.key.id);
  }
  return Error{ErrorCode::not_found,
               "no issuer '" + id + "'; post it with `gauger invoice issuer`"};
}

std::string name_of(const DocumentVersion& version) {
  return version.key.kind + " " + version.key.id + " version " + std::to_string(version.version);
}

}  // namespace

Result<InvoiceStore> InvoiceStore::open(const ledger::Documents& documents,
                                        const std::string& issuer, const std::string& ledger_zone,
                                        std::string_view name_space) {
  InvoiceStore store(documents, name_space);
  TRY(store.issuer_, read_issuer(documents, name_space, issuer, ledger_zone));
  TRY(store.read());
  TRY(store.read_decisions());
  return store;
}

Result<void> InvoiceStore::read() {
  TRY(documents_.each(
      name_space_, invoice_kind, [&](const DocumentVersion& version) -> Result<bool> {
        if (version.key.id != issuer_.party.id) return true;
        TRY(const auto document, documents_.read(version));
        TRY(auto invoice, billing::parse_invoice(document.content, name_of(version)));
        if (invoice.number != static_cast<int64_t>(version.version))
          return corruption(name_of(version) + " has number " + std::to_string(invoice.number));
        const auto& previous =
            invoices_.empty() ? billing::first_previous_hash : invoices_.back().hash;
        if (invoice.previous_hash != previous)
          return corruption(name_of(version) + " is not chained to the number before it");
        invoices_.push_back(std::move(invoice));
        return true;
      }));
  return success();
}

Result<void> InvoiceStore::read_decisions() {
  TRY(documents_.each(
      name_space_, decision_kind, [&](const DocumentVersion& version) -> Result<bool> {
        TRY(const auto document, documents_.read(version));
        TRY(auto decision, billing::parse_decision_text(document.content, name_of(version)));
        decisions_.push_back(std::move(decision));
        return true;
      }));
  TRY(documents_.each(
      name_space_, review_kind, [&](const DocumentVersion& version) -> Result<bool> {
        TRY(const auto document, documents_.read(version));
        TRY(auto review, billing::parse_review_text(document.content, name_of(version)));
        reviews_.push_back(std::move(review));
        return true;
      }));
  return success();
}

Result<const Invoice*> InvoiceStore::invoice(std::string_view name) const {
  for (const auto& invoice : invoices_)
    if (invoice.id() == name || std::to_string(invoice.number) == name) return &invoice;
  return Error{ErrorCode::not_found, issuer_.party.id + " has no document '" + std::string(name) +
                                         "'; `gauger invoice list` names them"};
}

Result<billing::Seal> InvoiceStore::seal(int64_t number, std::string* text) const {
  const auto key = key_of(seal_kind, issuer_.party.id);
  TRY(const auto version, documents_.version(key, static_cast<uint32_t>(number)));
  if (!version) return corruption("number " + std::to_string(number) + " has no seal");
  TRY(auto document, documents_.read(*version));
  TRY(auto seal, billing::parse_seal(document.content, name_of(*version)));
  if (text != nullptr) *text = std::move(document.content);
  return seal;
}

std::vector<billing::ChainLink> InvoiceStore::chain(int64_t last) const {
  std::vector<billing::ChainLink> links;
  for (const auto& invoice : invoices_)
    if (invoice.number <= last)
      links.push_back({invoice.number, invoice.content_hash, invoice.hash});
  return links;
}

std::vector<billing::Decision> InvoiceStore::decisions(std::string_view bill_to,
                                                       int32_t month) const {
  std::vector<billing::Decision> found;
  for (const auto& decision : decisions_)
    if (decision.bill_to == bill_to && decision.month == month) found.push_back(decision);
  return found;
}

std::optional<billing::Review> InvoiceStore::review(std::string_view bill_to, int32_t month) const {
  std::optional<billing::Review> last;
  for (const auto& review : reviews_)
    if (review.bill_to == bill_to && review.month == month) last = review;
  return last;
}

void InvoiceStore::posted(const Invoice& invoice, const std::vector<std::string>& terms) {
  invoices_.push_back(invoice);
  for (const auto& text : terms) posted_terms_.emplace(billing::sha256_hex(text), text);
}

// Kept for an invoice by its content, or posted as a document of its own.
Result<std::optional<DocumentVersion>> InvoiceStore::find_terms(
    std::string_view content_hash) const {
  TRY(auto kept, documents_.latest(key_of(terms_kind, content_hash)));
  if (kept) return kept;
  std::optional<DocumentVersion> posted;
  TRY(documents_.each(name_space_, "organisation",
                      [&](const DocumentVersion& version) -> Result<bool> {
                        if (ledger::to_hex(version.content_hash) == content_hash) posted = version;
                        return !posted;
                      }));
  return posted;
}

bool InvoiceStore::has_terms(std::string_view content_hash) const {
  if (posted_terms_.contains(content_hash)) return true;
  const auto found = find_terms(content_hash);
  return found.has_value() && found.value().has_value();
}

Result<std::string> InvoiceStore::terms(std::string_view content_hash) const {
  const auto posted = posted_terms_.find(content_hash);
  if (posted != posted_terms_.end()) return posted->second;
  TRY(const auto version, find_terms(content_hash));
  if (!version)
    return Error{ErrorCode::not_found,
                 "the ledger does not have the terms " + std::string(content_hash)};
  TRY(auto document, documents_.read(*version));
  return std::move(document.content);
}

Result<std::vector<DocumentDraft>> InvoiceStore::drafts_of(const billing::Seal& seal,
                                                           const std::string& author,
                                                           Invoice& invoice) const {
  const auto text = to_json(seal);
  const auto number = static_cast<int64_t>(invoices_.size()) + 1;
  const auto& previous = invoices_.empty() ? billing::first_previous_hash : invoices_.back().hash;
  TRY(invoice, derive(seal, text, number, previous));
  std::vector<DocumentDraft> drafts;
  drafts.push_back(
      draft_of_content(key_of(invoice_kind, issuer_.party.id), author, to_json(invoice)));
  drafts.push_back(draft_of_content(key_of(seal_kind, issuer_.party.id), author, text));
  // Whoever takes the same number in between makes this one a conflict.
  for (auto& draft : drafts) draft.after_version = static_cast<uint32_t>(number - 1);
  return drafts;
}

DocumentDraft InvoiceStore::draft_of(const billing::Decision& decision) const {
  auto draft =
      draft_of_content(key_of(decision_kind, decision.bill_to + "/" + format_month(decision.month)),
                       decision.by, billing::decision_text(decision));
  draft.reason = decision.reason;
  return draft;
}

DocumentDraft InvoiceStore::draft_of(const billing::Review& review) const {
  return draft_of_content(key_of(review_kind, review.bill_to + "/" + format_month(review.month)),
                          review.by, billing::review_text(review));
}

DocumentDraft InvoiceStore::draft_of_terms(std::string content) const {
  const auto hash = billing::sha256_hex(content);
  auto draft = draft_of_content(key_of(terms_kind, hash), "gauger", std::move(content));
  draft.media_type = "application/yaml";
  return draft;
}

DocumentDraft InvoiceStore::draft_of_issuer(const billing::Issuer& issuer, std::string text,
                                            const std::string& author) const {
  auto draft = draft_of_content(key_of(issuer_kind, issuer.party.id), author, std::move(text));
  draft.media_type = "application/yaml";
  return draft;
}

}  // namespace gauger::exporters
