// Documents in the formats of others.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "exporters/accounting/invoice_store.h"

namespace gauger::exporters {

// json, csv, pdf, focus, hledger, ledger, beancount, bundle.
const std::vector<std::string>& invoice_formats();
Result<std::string> export_invoice(const InvoiceStore& store, const billing::Invoice& invoice,
                                   const std::string& format);
// focus, hledger, ledger or beancount: many documents in one file.
Result<std::string> export_invoices(std::span<const billing::Invoice> invoices,
                                    const std::string& format);

}  // namespace gauger::exporters
