// What the API says of quotas, and reading their documents (billing/quotas/quota_document.h). A
// document without content ends its quota.
#pragma once

#include "billing/json_value.h"
#include "ledger/documents.h"
#include "ledger/quota.h"

namespace gauger::exporters {

inline constexpr std::string_view quota_kind = "quota";

// The last version of every quota of the namespaces.
Result<std::vector<ledger::Quota>> read_quotas(const ledger::Documents& documents,
                                               const std::vector<std::string>& name_spaces);

billing::JsonValue quota_json(const ledger::Quota& quota);
// How it stands. Amounts are decimal strings.
billing::JsonValue answer_json(const ledger::QuotaAnswer& answer);
billing::JsonValue decision_json(const ledger::QuotaDecision& decision);
// The canonical text of it, written straight away: a gateway asks before each of its requests.
std::string decision_text(const ledger::QuotaDecision& decision);
std::string quotas_table(const std::vector<ledger::QuotaAnswer>& answers);
std::string quotas_csv(const std::vector<ledger::QuotaAnswer>& answers);

}  // namespace gauger::exporters
