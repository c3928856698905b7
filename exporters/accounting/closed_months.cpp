#include "exporters/accounting/closed_months.h"

namespace gauger::exporters {

ledger::DocumentKey allocation_key(std::string_view contract, int32_t month,
                                   std::string_view name_space) {
  return {std::string(name_space), std::string(billing::allocation_kind),
          billing::allocation_id(contract, month)};
}

Result<std::optional<StoredClosedMonth>> read_closed(const ledger::Documents& documents,
                                                     std::string_view contract, int32_t month,
                                                     std::string_view name_space) {
  const auto key = allocation_key(contract, month, name_space);
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

}  // namespace gauger::exporters
