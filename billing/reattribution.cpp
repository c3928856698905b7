#include "billing/reattribution.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "billing/document.h"
#include "billing/precedence.h"
#include "schemas/limits.h"

namespace gauger::billing {
namespace {

// Looked through once per key and period of unclaimed usage.
constexpr size_t rules_max = 10'000;

struct KeyPart {
  std::string_view name;
  StringId UsageKey::*id;
};
constexpr std::array<KeyPart, 7> key_parts = {{{"namespace", &UsageKey::name_space},
                                               {"project", &UsageKey::project},
                                               {"workload", &UsageKey::workload},
                                               {"provider", &UsageKey::provider},
                                               {"provider_account", &UsageKey::provider_account},
                                               {"model", &UsageKey::model},
                                               {"region", &UsageKey::region}}};

bool is_condition_name(std::string_view name) {
  return is_evidence_name(name) ||
         std::ranges::find(key_parts, name, &KeyPart::name) != key_parts.end();
}

// --- the document ---------------------------------------------------------------------------

Result<std::vector<ReattributionRule::Condition>> read_conditions(const Fields& fields,
                                                                  const Node& match) {
  if (match.kind != Node::Kind::map || match.members.empty())
    return fields.error(match, "'match' is not a map of conditions");
  std::vector<ReattributionRule::Condition> conditions;
  for (const auto& member : match.members) {
    if (!is_condition_name(member.name))
      return fields.error(member.value,
                          "'" + member.name +
                              "' is nothing that usage is kept by: api_key, workspace, user, "
                              "subject, source, tag.<name>, header.<name>, namespace, project, "
                              "workload, provider, provider_account, model or region");
    TRY(auto value, read_text(fields.file(), member.value, "'" + member.name + "'"));
    const auto is_prefix = value.ends_with('*');
    if (is_prefix)
      value.pop_back();
    else
      value = kept_value(member.name, value);
    conditions.push_back({member.name, std::move(value), is_prefix});
  }
  return conditions;
}

struct DecisionNames {
  std::string_view text;
  std::string_view from;
};

Result<ReattributedText> read_decision(Fields& fields, const DecisionNames& names) {
  const std::string name(names.text);
  ReattributedText decision;
  TRY(decision.text, fields.text_or(names.text, ""));
  TRY(decision.from, fields.text_or(names.from, ""));
  if (!decision.text.empty() && !decision.from.empty())
    return fields.error("'" + name + "' is decided twice");
  if (!decision.from.empty() && !is_condition_name(decision.from))
    return fields.error("'" + decision.from + "' is nothing that usage is kept by");
  if (decision.text.size() > limits::text_bytes_max)
    return fields.error("'" + name + "' is longer than " + std::to_string(limits::text_bytes_max) +
                        " bytes");
  return decision;
}

Result<ReattributionRule> read_rule(std::string_view file, const Node& node) {
  TRY(auto fields, Fields::of(file, node, "a rule"));
  ReattributionRule rule;
  rule.line = node.line;
  TRY(const auto* match, fields.required("match"));
  TRY(rule.conditions, read_conditions(fields, *match));
  TRY(rule.team, read_decision(fields, {"team", "team_from"}));
  TRY(rule.project, read_decision(fields, {"project", "project_from"}));
  TRY(rule.workload, read_decision(fields, {"workload", "workload_from"}));
  TRY(const auto from, fields.instant("from"));
  TRY(const auto until, fields.instant("until"));
  TRY(fields.finish());
  if (rule.team.text.empty() && rule.team.from.empty())
    return fields.error("'team' or 'team_from' is missing");
  rule.interval = {from.value_or(begin_of_time), until.value_or(end_of_time)};
  if (rule.interval.until <= rule.interval.from)
    return fields.error("the rule ends before it begins");
  return rule;
}

// --- the rows -------------------------------------------------------------------------------

// What one key of unclaimed usage shows.
class Shown {
 public:
  Shown(const UsageTable& usage, const UsageKey& key) : usage_(usage), key_(key) {
    for (const auto id : {key.workload, key.project})
      if (auto kept = read_kept_evidence(usage.text(id)))
        kept_.insert(kept_.end(), kept->begin(), kept->end());
  }

  std::string_view find(std::string_view name) const {
    for (const auto& part : key_parts)
      if (part.name == name) return usage_.text(key_.*part.id);
    for (const auto& [kept_name, value] : kept_)
      if (kept_name == name) return value;
    return {};
  }

  bool matches(const ReattributionRule& rule) const {
    const auto holds = [&](const ReattributionRule::Condition& condition) {
      const auto value = find(condition.name);
      if (value.empty()) return false;
      return condition.is_prefix ? value.starts_with(condition.value) : value == condition.value;
    };
    return std::ranges::all_of(rule.conditions, holds) && can_take(rule.team);
  }

  // The text that a rule decides; what the row had where the rule says nothing of it.
  std::string_view decide(const ReattributedText& decision, StringId had) const {
    if (!decision.text.empty()) return decision.text;
    if (!decision.from.empty()) return find(decision.from);
    const auto text = usage_.text(had);
    return read_kept_evidence(text) ? std::string_view() : text;
  }

 private:
  bool can_take(const ReattributedText& decision) const {
    return decision.from.empty() || !find(decision.from).empty();
  }

  const UsageTable& usage_;
  const UsageKey& key_;
  KeptEvidence kept_;
};

// The newest document first: the rules that match a key, in the order in which they decide.
struct Candidate {
  const Reattribution* document;
  const ReattributionRule* rule;
};

std::vector<Candidate> candidates_of(const Shown& shown, std::span<const Reattribution> documents) {
  std::vector<Candidate> candidates;
  for (size_t i = documents.size(); i-- > 0;)
    for (const auto& rule : documents[i].rules)
      if (shown.matches(rule)) candidates.push_back({&documents[i], &rule});
  return candidates;
}

class Overlay {
 public:
  Overlay(const UsageTable& usage, std::span<const Reattribution> documents)
      : usage_(usage), documents_(documents) {}

  Result<UsageTable> run() {
    moved_.strings = usage_.strings;
    moved_.keys = usage_.keys;
    moved_.context_boundaries = usage_.context_boundaries;
    moved_.grain = usage_.grain;
    moved_.as_of_sequence = usage_.as_of_sequence;
    for (const auto& row : usage_.rows) {
      TRY(const auto key, key_of(row));
      TRY(add(row, key));
    }
    finish();
    return std::move(moved_);
  }

 private:
  struct Place {
    Instant period;
    uint32_t key;
    bool operator==(const Place&) const = default;
  };
  struct PlaceHash {
    size_t operator()(const Place& place) const {
      return (static_cast<size_t>(to_us(place.period)) ^ place.key) * 0x9e3779b97f4a7c15;
    }
  };
  struct Sum {
    UsageRow row;
    std::map<uint32_t, int64_t> extras;  // by the id of the name
  };

  Result<uint32_t> key_of(const UsageRow& row) {
    const auto& key = usage_.key(row);
    if (usage_.text(key.team) != unattributed_team) return row.key;
    auto [found, fresh] = candidates_.try_emplace(row.key);
    const Shown shown(usage_, key);
    if (fresh) found->second = candidates_of(shown, documents_);
    for (const auto& [document, rule] : found->second) {
      const auto until = row.period + usage_.grain;
      const auto cuts = [&](Instant at) { return row.period < at && at < until; };
      if (cuts(rule->interval.from) || cuts(rule->interval.until))
        return document_error(document->file, rule->line,
                              "the rule begins or ends inside the period of " +
                                  std::to_string(usage_.grain.count()) + " minutes that begins " +
                                  format_instant(row.period) + ", which cannot be split");
      if (rule->interval.contains(row.period)) return moved_key(row.key, *rule, shown);
    }
    return row.key;
  }

  uint32_t moved_key(uint32_t old, const ReattributionRule& rule, const Shown& shown) {
    const auto [known, fresh] = moved_keys_.try_emplace({old, &rule});
    if (!fresh) return known->second;
    auto key = usage_.keys[old];
    key.project = intern(shown.decide(rule.project, key.project));
    key.workload = intern(shown.decide(rule.workload, key.workload));
    key.team = intern(shown.decide(rule.team, key.team));
    if (keys_.empty())
      for (uint32_t i = 0; i < usage_.keys.size(); ++i) keys_.try_emplace(usage_.keys[i], i);
    const auto [same, is_new] = keys_.try_emplace(key, static_cast<uint32_t>(moved_.keys.size()));
    if (is_new) moved_.keys.push_back(key);
    return known->second = same->second;
  }

  StringId intern(std::string_view text) {
    if (ids_.empty())
      for (uint32_t i = 0; i < usage_.strings.size(); ++i) ids_.try_emplace(usage_.strings[i], i);
    const auto [found, fresh] =
        ids_.try_emplace(std::string(text), static_cast<uint32_t>(moved_.strings.size()));
    if (fresh) moved_.strings.emplace_back(text);
    return {found->second};
  }

  Result<void> add(const UsageRow& row, uint32_t key) {
    const auto [at, fresh] = place_of_.try_emplace({row.period, key}, sums_.size());
    if (fresh) {
      sums_.push_back({row, {}});
      sums_.back().row.key = key;
    }
    auto& sum = sums_[at->second];
    auto fits = true;
    const auto add_to = [&](int64_t& into, int64_t count) {
      fits = fits && !__builtin_add_overflow(into, count, &into);
    };
    if (!fresh) {
      add_to(sum.row.requests, row.requests);
      for (size_t i = 0; i < meter_count; ++i) add_to(sum.row.counts[i], row.counts[i]);
    }
    for (uint32_t i = 0; i < row.extras_count; ++i) {
      const auto& extra = usage_.extras[row.extras_begin + i];
      add_to(sum.extras[extra.name.value], extra.count);
    }
    if (!fits) return Error{ErrorCode::overflow, "a sum of re-attributed usage is too large"};
    return success();
  }

  void finish() {
    for (auto& sum : sums_) {
      sum.row.extras_begin = static_cast<uint32_t>(moved_.extras.size());
      sum.row.extras_count = 0;
      for (const auto& [name, count] : sum.extras) {
        if (count == 0) continue;
        moved_.extras.push_back({StringId{name}, count});
        ++sum.row.extras_count;
      }
      moved_.rows.push_back(sum.row);
    }
    std::ranges::stable_sort(moved_.rows, [](const UsageRow& a, const UsageRow& b) {
      return std::tie(a.period, a.key) < std::tie(b.period, b.key);
    });
  }

  const UsageTable& usage_;
  std::span<const Reattribution> documents_;
  UsageTable moved_;
  std::vector<Sum> sums_;
  std::unordered_map<Place, size_t, PlaceHash> place_of_;            // in sums_
  std::unordered_map<uint32_t, std::vector<Candidate>> candidates_;  // by key
  std::map<std::pair<uint32_t, const ReattributionRule*>, uint32_t> moved_keys_;
  // Of the table that is made; filled when something moves.
  std::map<UsageKey, uint32_t> keys_;
  std::unordered_map<std::string, uint32_t> ids_;
};

}  // namespace

Result<Reattribution> parse_reattribution(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  TRY(auto fields, Fields::of(file, root, "a re-attribution"));
  Reattribution document;
  document.file = file;
  TRY(const auto kind, fields.text("kind"));
  if (kind != "reattribution") return fields.error("'kind: " + kind + "' is not a reattribution");
  TRY(document.id, fields.text("id"));
  TRY(document.version, fields.text("version"));
  TRY(const auto rules, fields.list("rules"));
  TRY(fields.finish());
  if (rules.empty() || rules.size() > rules_max)
    return fields.error("a re-attribution has 1 to " + std::to_string(rules_max) + " 'rules'");
  for (const auto& node : rules) {
    TRY(auto rule, read_rule(file, node));
    document.rules.push_back(std::move(rule));
  }
  return document;
}

Result<UsageTable> reattribute(const UsageTable& usage, std::span<const Reattribution> documents) {
  if (documents.empty()) return usage;
  return Overlay(usage, documents).run();
}

}  // namespace gauger::billing
