#include "exporters/accounting/reconciliation_list.h"

#include "billing/reconciliation/sign_off.h"
#include "exporters/accounting/reconcile_source.h"

namespace gauger::exporters {

Result<ReconciliationLists> ReconciliationLists::read(const ledger::Documents& documents,
                                                      std::string_view name_space) {
  ReconciliationLists lists;
  TRY(lists.read_statements(documents, name_space));
  TRY(lists.read_reconciliations(documents, name_space));
  return lists;
}

Result<void> ReconciliationLists::read_statements(const ledger::Documents& documents,
                                                  std::string_view name_space) {
  json_["statements"] = billing::JsonValue::Array();
  return documents.each(name_space, statement_kind, [&](const auto& version) -> Result<bool> {
    statements_.add({version.key.id, std::to_string(version.version),
                     std::to_string(version.content_bytes), format_instant(version.recorded_at),
                     version.author});
    billing::JsonValue item;
    item["id"] = version.key.id;
    item["version"] = int64_t{version.version};
    item["content_hash"] = ledger::to_hex(version.content_hash);
    item["loaded_at"] = format_instant(version.recorded_at);
    item["by"] = version.author;
    json_["statements"].push_back(std::move(item));
    return true;
  });
}

// The trend: what was signed off per provider and month, the latest version of each.
Result<void> ReconciliationLists::read_reconciliations(const ledger::Documents& documents,
                                                       std::string_view name_space) {
  json_["reconciliations"] = billing::JsonValue::Array();
  TRY(const auto versions, documents.list(name_space, reconciliation_kind));
  for (const auto& version : versions) {
    TRY(const auto document, documents.read(version));
    TRY(const auto found, billing::parse_sign_off(document.content, version.key.id));
    reconciliations_.add({found.provider, found.from, found.until, found.statement_total,
                          found.ledger_total, found.difference, found.currency, found.matched_share,
                          found.explained_share, version.author,
                          format_instant(version.recorded_at), version.reason});
    billing::JsonValue item;
    item["provider"] = found.provider;
    item["from"] = found.from;
    item["until"] = found.until;
    item["currency"] = found.currency;
    item["statement_total"] = found.statement_total;
    item["ledger_total"] = found.ledger_total;
    item["difference"] = found.difference;
    item["matched_share"] = found.matched_share;
    item["explained_share"] = found.explained_share;
    item["signed_by"] = version.author;
    item["signed_at"] = format_instant(version.recorded_at);
    item["why"] = version.reason;
    json_["reconciliations"].push_back(std::move(item));
  }
  return success();
}

}  // namespace gauger::exporters
