// What only the ledger knows about an invoice's month: is it over, and what was not counted.
#pragma once

#include "billing/invoice_draft.h"
#include "ledger/head.h"
#include "ledger/store.h"

namespace gauger::exporters {

// Of records in the namespace (empty: in all), up to the head's block.
Result<void> add_ledger_blockers(const ledger::Store& store, const ledger::Head& head,
                                 std::string_view name_space, billing::InvoiceDraft& draft);

}  // namespace gauger::exporters
