#include "billing/reconciliation/sign_off.h"

#include "billing/document.h"
#include "billing/json_value.h"
#include "ledger/hash.h"

namespace gauger::billing {

std::string reconciliation_id(const Reconciliation& reconciliation) {
  const auto& grain = reconciliation.grain;
  return grain.provider + "/" + format_day(grain.days.from) + "/" + format_day(grain.days.until);
}

std::string reconciliation_hash(const Reconciliation& reconciliation) {
  // Without the block that our side is complete to: what is appended later may concern others.
  auto seen = reconciliation_id(reconciliation) + "\n";
  for (const auto& statement : reconciliation.statements) seen += statement + "\n";
  seen += format_amount(reconciliation.ledger_total) + "\n" +
          format_amount(reconciliation.statement_total) + "\n" +
          std::to_string(reconciliation.grain.cells.size()) + "\n" +
          reconciliation_csv(reconciliation);
  return ledger::to_hex(ledger::sha256(seen));
}

std::string sign_off_json(const Reconciliation& reconciliation,
                          const std::vector<StatementVersion>& statements) {
  const auto& grain = reconciliation.grain;
  JsonValue root;
  root["kind"] = "reconciliation";
  root["provider"] = grain.provider;
  root["from"] = format_day(grain.days.from);
  root["until"] = format_day(grain.days.until);
  root["zone"] = grain.zone.name();
  root["currency"] = grain.currency.code();
  root["as_of_sequence"] = static_cast<int64_t>(grain.as_of_sequence);
  root["statement_total"] = format_amount(reconciliation.statement_total);
  root["ledger_total"] = format_amount(reconciliation.ledger_total);
  root["difference"] = format_amount(reconciliation.difference());
  root["matched_share"] = share_text(reconciliation.shares.matched);
  root["explained_share"] = share_text(reconciliation.shares.explained);
  root["report_hash"] = reconciliation_hash(reconciliation);
  root["statements"] = JsonValue::Array();
  for (const auto& statement : statements) {
    JsonValue item;
    item["id"] = statement.id;
    item["version"] = int64_t{statement.version};
    item["content_hash"] = statement.content_hash;
    root["statements"].push_back(std::move(item));
  }
  root["classes"] = JsonValue::Array();
  for (const auto& total : reconciliation.classes) {
    JsonValue item;
    item["class"] = to_string(total.variance_class);
    item["variances"] = total.variances;
    item["amount"] = format_amount(total.amount());
    root["classes"].push_back(std::move(item));
  }
  return root.canonical() + "\n";
}

Result<SignedReconciliation> parse_sign_off(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_json(text, file));
  TRY(auto fields, Fields::of(file, root, "a sign-off"));
  SignedReconciliation signed_off;
  TRY(signed_off.provider, fields.text("provider"));
  TRY(signed_off.from, fields.text("from"));
  TRY(signed_off.until, fields.text("until"));
  TRY(signed_off.currency, fields.text("currency"));
  TRY(signed_off.statement_total, fields.text("statement_total"));
  TRY(signed_off.ledger_total, fields.text("ledger_total"));
  TRY(signed_off.difference, fields.text("difference"));
  TRY(signed_off.matched_share, fields.text("matched_share"));
  TRY(signed_off.explained_share, fields.text("explained_share"));
  TRY(signed_off.report_hash, fields.text("report_hash"));
  return signed_off;
}

}  // namespace gauger::billing
