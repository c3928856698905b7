#include "tools/gauger/quota_store.h"

#include "billing/quotas/quota_document.h"

namespace gauger::tools {

Result<std::vector<ledger::Quota>> read_quotas(const ledger::Documents& documents,
                                               std::string_view name_space) {
  std::vector<ledger::Quota> quotas;
  TRY(const auto versions, documents.list(name_space, "quota"));
  for (const auto& version : versions) {
    if (version.content_bytes == 0) continue;
    TRY(const auto document, documents.read(version));
    TRY(auto quota, billing::parse_quota(document.content, "quota " + version.key.id));
    quota.name_space = version.key.name_space;
    quotas.push_back(std::move(quota));
  }
  return quotas;
}

Result<ledger::DocumentDraft> quota_draft(std::string_view text, std::string_view file,
                                          std::string_view name_space) {
  TRY(const auto quota, billing::parse_quota(text, file));
  ledger::DocumentDraft draft;
  draft.key = {std::string(name_space), "quota", quota.id};
  draft.media_type = "application/yaml";
  draft.content = std::string(text);
  return draft;
}

}  // namespace gauger::tools
