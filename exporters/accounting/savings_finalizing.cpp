#include "exporters/accounting/savings_finalizing.h"

#include <algorithm>

#include "billing/json_value.h"
#include "billing/savings/statement_text.h"

namespace gauger::exporters {
namespace {

// The statement by everything that it can be told apart by, and what it rested on.
std::string sealed_text(const billing::SavingsStatement& statement, const SavingsDocuments& terms) {
  using billing::SavingsDimension;
  billing::JsonValue seal;
  seal["format"] = int64_t{1};
  seal["terms"] = billing::JsonValue::Array();
  for (const auto& source : terms.sources) {
    billing::JsonValue document;
    document["kind"] = source.kind;
    document["id"] = source.id;
    document["sha256"] = source.sha256;
    seal["terms"].push_back(std::move(document));
  }
  auto text = billing::savings_json(
      statement, {SavingsDimension::month, SavingsDimension::program, SavingsDimension::team,
                  SavingsDimension::project, SavingsDimension::workload});
  text.pop_back();
  return "{\"sealed\":" + seal.canonical() + ",\"statement\":" + text + "}";
}

// Finalizing is a block of its own, so that the same figures are complete to a later one.
std::string without_sequence(const std::string& sealed) {
  constexpr std::string_view name = "\"as_of_sequence\":";
  const auto begin = sealed.find(name);
  if (begin == std::string::npos) return sealed;
  const auto end = sealed.find_first_not_of("0123456789", begin + name.size());
  return sealed.substr(0, begin) + sealed.substr(std::min(end, sealed.size()));
}

}  // namespace

std::string savings_statement_id(const billing::SavingsRequest& request) {
  auto id = format_month(request.first_month);
  if (request.last_month != request.first_month) id += ".." + format_month(request.last_month);
  return id + (request.basis == billing::PriceBasis::list ? "/list" : "/contract");
}

Result<SavingsFinalizing> finalize_savings(const SavingsSource& source,
                                           const billing::SavingsRequest& request,
                                           const std::string& reason) {
  const auto id = savings_statement_id(request);
  TRY(const auto statement, source.statement(request));
  if (billing::is_blocked(statement))
    return Error{ErrorCode::refused, "the statement " + id +
                                         " has problems that the savings report lists; nothing "
                                         "was finalized"};
  SavingsFinalizing made;
  auto& draft = made.draft;
  draft.key = source.view().key(savings_statement_kind, id);
  draft.reason = reason;
  draft.content = sealed_text(statement, source.documents());
  const auto documents = source.reader().documents();
  TRY(const auto latest, documents.latest(draft.key));
  draft.after_version = latest ? latest->version : 0;
  if (!latest) return made;
  TRY(const auto kept, documents.read(*latest));
  if (without_sequence(kept.content) == without_sequence(draft.content)) {
    made.same = *latest;
    return made;
  }
  if (reason.empty())
    return Error{ErrorCode::conflict,
                 "the statement " + id +
                     " was finalized with other figures; a reason (--because) says why it is "
                     "restated"};
  return made;
}

}  // namespace gauger::exporters
