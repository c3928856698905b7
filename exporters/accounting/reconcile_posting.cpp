#include "exporters/accounting/reconcile_posting.h"

#include <array>

#include "ingest/formats/event_memory.h"
#include "schemas/evidence.h"

namespace gauger::exporters {
namespace {

Result<std::optional<ledger::Document>> latest_of(const LedgerView& view, std::string_view kind,
                                                  const std::string& id) {
  const auto documents = view.documents();
  TRY(const auto latest, documents.latest(view.key(kind, id)));
  if (!latest) return std::optional<ledger::Document>();
  TRY(auto document, documents.read(*latest));
  return std::optional(std::move(document));
}

// A posting speaks of what somebody has signed off, and of nothing else.
Result<void> check_signed(const LedgerView& view, const billing::Reconciliation& result) {
  const auto id = reconciliation_id(result);
  TRY(const auto latest, latest_of(view, reconciliation_kind, id));
  if (!latest)
    return Error{ErrorCode::refused,
                 id + " is not signed off: look at its report, then sign it off"};
  TRY(const auto signed_off, billing::parse_sign_off(latest->content, id));
  if (signed_off.report_hash != reconciliation_hash(result))
    return Error{
        ErrorCode::refused,
        id + " was signed off by " + latest->version.author +
            ", but has changed since then (usage, terms or a statement): sign it off anew"};
  return success();
}

}  // namespace

Result<void> add_posting_rule(std::string_view variance_class, std::string_view rule,
                              std::string_view what, billing::PostingRules& rules) {
  const auto known_class =
      find_name<billing::VarianceClass>(billing::variance_class_names, variance_class);
  const auto known_rule = find_name<billing::PostingRule>(billing::posting_rule_names, rule);
  if (!known_class || !known_rule) {
    std::string names;
    for (const auto name : billing::variance_class_names)
      names += (names.empty() ? "" : ", ") + std::string(name);
    return invalid_argument(
        std::string(what) + " takes CLASS=unallocated|by_use|by_account, not '" +
        std::string(variance_class) + "=" + std::string(rule) + "'; classes are " + names);
  }
  rules[*known_class] = *known_rule;
  return success();
}

billing::TeamOf team_of_accounts(std::shared_ptr<const ingest::Attribution> attribution,
                                 std::string_view provider, const TimeZone& zone) {
  return [attribution = std::move(attribution), provider = std::string(provider), zone](
             std::string_view account, std::string_view api_key, int32_t day) {
    UsageEvent event;
    event.provider = provider;
    event.provider_account = account;
    event.completed_at = zone.day_begin(day);
    const std::array<Evidence, 4> evidence = {
        Evidence{"api_key", api_key},
        {"workspace", account},
        {"project", account},
        {"provider_account", account},
    };
    ingest::EventMemory memory;
    attribution->attribute(event, evidence, memory);
    return event.team == unattributed_team ? std::string() : std::string(event.team);
  };
}

Result<PostingDraft> posting_of(const LedgerView& view, const ReconcileRun& run,
                                const billing::PostingRules& rules,
                                const billing::TeamOf& team_of) {
  TRY(check_signed(view, run.result));
  const auto id = reconciliation_id(run.result);
  PostingDraft made;
  made.posting = billing::make_posting(run.result, run.input, rules, team_of);
  TRY(const auto latest, latest_of(view, posting_kind, id));
  auto& draft = made.draft;
  draft.key = view.key(posting_kind, id);
  draft.applies_from = run.result.grain.zone.day_begin(run.result.grain.days.from);
  draft.content = billing::posting_json(made.posting);
  draft.after_version = latest ? latest->version.version : 0;
  if (!latest) return made;
  if (latest->content == draft.content) {
    made.same = latest->version;
    return made;
  }
  TRY(const auto before, billing::parse_posting(latest->content, id));
  made.change = billing::posting_change(made.posting, before);
  return made;
}

}  // namespace gauger::exporters
