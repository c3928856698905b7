#include "ledger/backup/incarnation.h"

namespace gauger::ledger {
namespace {

DocumentKey incarnation_key() { return {"default", "incarnation", "ledger"}; }
DocumentKey confirmation_key(const std::string& issuer) {
  return {"default", "numbers_confirmed", issuer};
}

DocumentDraft draft_of(DocumentKey key, const std::string& author, std::string detail) {
  DocumentDraft draft;
  draft.key = std::move(key);
  draft.author = author;
  draft.content = std::move(detail);
  return draft;
}

}  // namespace

Result<uint32_t> incarnation_of(const Documents& documents) {
  TRY(const auto last, documents.latest(incarnation_key()));
  return last ? last->version + 1 : 1;
}

DocumentDraft incarnation_draft(const std::string& author, std::string detail) {
  return draft_of(incarnation_key(), author, std::move(detail));
}

DocumentDraft confirmation_draft(const std::string& issuer, const std::string& author,
                                 std::string detail) {
  return draft_of(confirmation_key(issuer), author, std::move(detail));
}

Result<void> check_confirmed(const Documents& documents, const std::string& issuer) {
  TRY(const auto restored, documents.latest(incarnation_key()));
  if (!restored) return success();
  TRY(const auto confirmed, documents.latest(confirmation_key(issuer)));
  if (confirmed && confirmed->known_from > restored->known_from) return success();
  return Error{ErrorCode::refused,
               "this ledger was restored on " + format_instant(restored->recorded_at) +
                   ", and nobody has said since which number of " + issuer +
                   " was the last to leave the house; `gauger invoice confirm-numbers` does"};
}

}  // namespace gauger::ledger
