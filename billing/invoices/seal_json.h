// Parts of seals and invoices as canonical JSON. Private to billing/invoices.
#pragma once

#include "billing/invoices/line_json.h"
#include "billing/invoices/seal.h"

namespace gauger::billing {

JsonValue usage_json(const SealedUsage& usage);
Result<SealedUsage> parse_usage(JsonFields& fields);

// Without the comparison of bytes, for documents inside a bundle.
Result<Seal> parse_seal_node(std::string_view file, const Node& node);
Result<Invoice> parse_invoice_node(std::string_view file, const Node& node);

}  // namespace gauger::billing
