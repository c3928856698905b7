// Terms out of the ledger's documents, as they are in force. Private to exporters/.
#pragma once

#include "billing/terms/terms.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

Result<billing::Terms> terms_in_force(const LedgerView& view, int32_t month);

// The price book of that id; the only one there is where the id is empty. not_found says what is
// missing, invalid_argument that there are several. Lives as long as the terms.
Result<const billing::PriceBook*> find_price_book(const billing::Terms& terms, std::string_view id);
// not_found where there is none.
Result<const billing::ModelCatalog*> find_model_catalog(const billing::Terms& terms);

}  // namespace gauger::exporters
