#include "exporters/api/terms_of.h"

namespace gauger::exporters {
namespace {

std::string name_of(const ledger::DocumentVersion& version) {
  return version.key.kind + " " + version.key.id + " version " + std::to_string(version.version);
}

}  // namespace

Result<ledger::Document> find_document(const ledger::Documents& documents,
                                       std::string_view name_space, std::string_view kind,
                                       std::string_view id) {
  const std::string the_kind(kind);
  if (!id.empty()) {
    TRY(const auto latest, documents.latest({std::string(name_space), the_kind, std::string(id)}));
    if (!latest)
      return Error{ErrorCode::not_found, "there is no " + the_kind + " '" + std::string(id) + "'"};
    return documents.read(*latest);
  }
  TRY(const auto all, documents.list(name_space, kind));
  if (all.empty()) return Error{ErrorCode::not_found, "the ledger has no " + the_kind + " yet"};
  if (all.size() > 1)
    return invalid_argument("there are " + std::to_string(all.size()) + " documents of the kind " +
                            the_kind + ": say which");
  return documents.read(all.front());
}

Result<billing::ModelCatalog> find_model_catalog(const ledger::Documents& documents,
                                                 std::string_view name_space, std::string_view id) {
  TRY(const auto document, find_document(documents, name_space, "model_catalog", id));
  return billing::parse_model_catalog(document.content, name_of(document.version));
}

Result<billing::PriceBook> find_price_book(const ledger::Documents& documents,
                                           std::string_view name_space, std::string_view id) {
  TRY(const auto document, find_document(documents, name_space, "price_book", id));
  return billing::parse_price_book(document.content, name_of(document.version));
}

}  // namespace gauger::exporters
