// Terms out of the ledger's documents, parsed. Private to exporters/.
#pragma once

#include "billing/model_catalog.h"
#include "billing/price_book.h"
#include "ledger/documents.h"

namespace gauger::exporters {

// The document of that id; the only one there is where the id is empty. not_found says what is
// missing, invalid_argument that there are several.
Result<ledger::Document> find_document(const ledger::Documents& documents,
                                       std::string_view name_space, std::string_view kind,
                                       std::string_view id);

Result<billing::ModelCatalog> find_model_catalog(const ledger::Documents& documents,
                                                 std::string_view name_space, std::string_view id);
Result<billing::PriceBook> find_price_book(const ledger::Documents& documents,
                                           std::string_view name_space, std::string_view id);

}  // namespace gauger::exporters
