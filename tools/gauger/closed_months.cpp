#include "tools/gauger/closed_months.h"

#include "ledger/ledger.h"
#include "schemas/clock.h"
#include "tools/gauger/terms_source.h"

namespace gauger::tools {

ledger::DocumentKey allocation_key(std::string_view contract, int32_t month) {
  return {std::string(documents_name_space), std::string(billing::allocation_kind),
          billing::allocation_id(contract, month)};
}

Result<std::optional<StoredClosedMonth>> read_closed(const ledger::Documents& documents,
                                                     std::string_view contract, int32_t month) {
  const auto key = allocation_key(contract, month);
  StoredClosedMonth closed;
  for (uint32_t number = 1;; ++number) {
    TRY(const auto version, documents.version(key, number));
    if (!version) break;
    TRY(auto document, documents.read(*version));
    closed.versions.push_back(*version);
    closed.contents.push_back(std::move(document.content));
  }
  if (closed.versions.empty()) return std::optional<StoredClosedMonth>();
  TRY(closed.month, billing::read_closed_month(closed.contents, key.id));
  return std::optional(std::move(closed));
}

Result<std::vector<ledger::DocumentVersion>> append_documents(
    const std::string& data, std::vector<ledger::DocumentDraft> drafts) {
  const SystemClock clock;
  TRY(auto writer, ledger::Ledger::open(data, {}, clock));
  TRY(auto versions, writer->append_documents(std::move(drafts)));
  TRY(writer->close());
  return versions;
}

}  // namespace gauger::tools
