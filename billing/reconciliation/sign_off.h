// Somebody signs a reconciliation off: what is stored is what was seen (totals, classes, shares,
// the versions of the statements, the block that our side is complete to) and a hash of the whole
// report, so that a later posting can tell whether it speaks of the same thing. Who, when and why
// stand beside it, in the document's own fields. Pure.
#pragma once

#include <string>
#include <vector>

#include "billing/reconciliation/reconciliation.h"

namespace gauger::billing {

struct StatementVersion {
  std::string id;
  uint32_t version = 0;
  std::string content_hash;  // hexadecimal
};

// "anthropic/2026-08-01/2026-09-01": one reconciliation has one sign-off, in versions.
std::string reconciliation_id(const Reconciliation& reconciliation);
// Of all variances, totals and statements; equal for equal reports.
std::string reconciliation_hash(const Reconciliation& reconciliation);

std::string sign_off_json(const Reconciliation& reconciliation,
                          const std::vector<StatementVersion>& statements);

// What a sign-off says, for lists and trends.
struct SignedReconciliation {
  std::string provider;
  std::string from;
  std::string until;
  std::string currency;
  std::string statement_total;
  std::string ledger_total;
  std::string difference;
  std::string matched_share;
  std::string explained_share;
  std::string report_hash;
};
Result<SignedReconciliation> parse_sign_off(std::string_view text, std::string_view file);

}  // namespace gauger::billing
