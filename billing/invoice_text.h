// An invoice draft as a table for people and as canonical JSON. Amounts are decimal strings.
#pragma once

#include <string>

#include "billing/invoice_draft.h"

namespace gauger::billing {

std::string invoice_table(const InvoiceDraft& draft);
std::string invoice_csv(const InvoiceDraft& draft);
std::string invoice_json(const InvoiceDraft& draft);

}  // namespace gauger::billing
