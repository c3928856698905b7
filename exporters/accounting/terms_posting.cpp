#include "exporters/accounting/terms_posting.h"

#include "ledger/hash.h"

namespace gauger::exporters {

ledger::DocumentKey key_of_terms(const billing::TermsDocument& document,
                                 std::string_view name_space) {
  const auto kind =
      document.is_proposal() ? billing::proposed_price_book_kind : to_string(document.kind());
  return {std::string(name_space), std::string(kind), document.id()};
}

Result<std::optional<ledger::DocumentDraft>> draft_of_terms(const billing::TermsDocument& document,
                                                            const std::string& text,
                                                            std::string_view name_space,
                                                            const ledger::Documents& documents) {
  ledger::DocumentDraft draft;
  draft.key = key_of_terms(document, name_space);
  TRY(const auto latest, documents.latest(draft.key));
  draft.after_version = latest ? latest->version : 0;
  if (latest && ledger::to_hex(latest->content_hash) == document.content_hash)
    return std::optional<ledger::DocumentDraft>();
  for (uint32_t number = 1; number <= *draft.after_version; ++number) {
    TRY(const auto version, documents.version(draft.key, number));
    if (!version) continue;
    TRY(const auto stored, documents.read(*version));
    TRY(const auto known, billing::parse_terms(stored.content, document_name(*version)));
    if (known.version() == document.version() && known.content_hash != document.content_hash)
      return Error{ErrorCode::conflict,
                   document.file() + ": version " + known.version() + " of the " + draft.key.kind +
                       " '" + draft.key.id + "' was posted with other content, in journal block " +
                       std::to_string(version->known_from) + "; give it a new version"};
  }
  draft.applies_from = document.applies_from();
  draft.media_type = "application/yaml";
  draft.content = text;
  return std::optional(std::move(draft));
}

Result<void> check_together(const std::vector<NamedText>& texts, const LedgerView* view) {
  std::optional<ledger::Documents> documents;
  if (view != nullptr) documents.emplace(view->documents());
  TRY(auto source, TermsSource::open(texts, documents ? &*documents : nullptr,
                                     view == nullptr ? documents_name_space : view->name_space));
  TRY(const auto terms, source.latest());
  if (view == nullptr) return success();
  const auto& config = view->reader->config();
  return billing::check_ledger_keeps(terms, config.context_boundaries, config.grain);
}

}  // namespace gauger::exporters
