#include "exporters/api/terms_of.h"

#include "exporters/accounting/terms_source.h"

namespace gauger::exporters {

Result<billing::Terms> terms_in_force(const LedgerView& view, int32_t month) {
  const auto documents = view.documents();
  TRY(auto source, TermsSource::open({}, &documents, view.name_space));
  return source.month(month);
}

Result<const billing::PriceBook*> find_price_book(const billing::Terms& terms,
                                                  std::string_view id) {
  const auto& books = terms.company.books;
  if (!id.empty()) {
    const auto found = books.find(std::string(id));
    if (found == books.end())
      return Error{ErrorCode::not_found, "there is no price_book '" + std::string(id) + "'"};
    return &found->second;
  }
  if (books.empty()) return Error{ErrorCode::not_found, "the ledger has no price_book yet"};
  if (books.size() > 1)
    return invalid_argument("there are " + std::to_string(books.size()) +
                            " documents of the kind price_book: say which");
  return &books.begin()->second;
}

Result<const billing::ModelCatalog*> find_model_catalog(const billing::Terms& terms) {
  if (!terms.company.catalog)
    return Error{ErrorCode::not_found, "the ledger has no model_catalog yet"};
  return &*terms.company.catalog;
}

}  // namespace gauger::exporters
