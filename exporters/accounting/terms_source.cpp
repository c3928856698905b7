#include "exporters/accounting/terms_source.h"

#include "schemas/time_zone.h"

namespace gauger::exporters {

using billing::TermsKind;

std::string document_name(const ledger::DocumentVersion& version) {
  return version.key.kind + " " + version.key.id + " (version " + std::to_string(version.version) +
         ")";
}

Result<TermsSource> TermsSource::open(const std::vector<NamedText>& texts,
                                      const ledger::Documents* documents,
                                      std::string_view name_space) {
  TermsSource source;
  source.documents_ = documents;
  for (const auto& [file, text] : texts) {
    TRY(auto document, billing::parse_terms(text, file));
    const Name name{document.kind(), document.id()};
    const auto [first, added] = source.texts_.try_emplace(name, std::move(document));
    if (!added)
      return Error{ErrorCode::conflict, file + ": the " + std::string(to_string(name.first)) +
                                            " '" + name.second + "' stands twice, also in " +
                                            first->second.file()};
  }
  if (documents == nullptr) return source;
  for (size_t i = 0; i < billing::terms_kind_names.size(); ++i) {
    TRY(documents->each(name_space, billing::terms_kind_names[i],
                        [&](const ledger::DocumentVersion& version) -> Result<bool> {
                          auto& known = source.known_[{static_cast<TermsKind>(i), version.key.id}];
                          known.times.push_back({version.applies_from, version.known_from});
                          known.versions.push_back(version);
                          return true;
                        }));
  }
  return source;
}

Result<const billing::TermsDocument*> TermsSource::read(const ledger::DocumentVersion& version) {
  const auto name = document_name(version);
  if (const auto found = parsed_.find(name); found != parsed_.end()) return found->second.get();
  TRY(const auto stored, documents_->read(version));
  TRY(auto document, billing::parse_terms(stored.content, name));
  auto kept = std::make_unique<billing::TermsDocument>(std::move(document));
  return parsed_.emplace(name, std::move(kept)).first->second.get();
}

Result<billing::Terms> TermsSource::month(int32_t month) {
  const auto begin = TimeZone::utc().month_begin(month);
  std::vector<billing::TermsDocument> documents;
  std::map<Name, bool> replaced;
  for (const auto& [name, document] : texts_) {
    if (document.applies_from() && *document.applies_from() > begin) continue;
    documents.push_back(document);
    replaced[name] = true;
  }
  for (const auto& [name, known] : known_) {
    if (replaced.contains(name)) continue;
    const auto index = billing::version_in_force(known.times, month);
    if (!index) continue;
    TRY(const auto* document, read(known.versions[*index]));
    documents.push_back(*document);
  }
  return billing::gather_terms(std::move(documents));
}

Result<billing::Terms> TermsSource::latest() {
  // A month after every document that a ledger may hold.
  constexpr int32_t far_month = 12 * 8000;
  return month(far_month);
}

}  // namespace gauger::exporters
