#include "billing/reattribution.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "billing/document.h"
#include "billing/precedence.h"
#include "ledger/aggregator.h"
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

// Gives rows the keys that the documents decide; rows of one key are not yet one row.
class Renaming {
 public:
  Renaming(const UsageTable& usage, std::span<const Reattribution> documents)
      : usage_(usage), documents_(documents), renamed_(usage) {}

  Result<UsageTable> run() {
    for (size_t i = 0; i < usage_.rows.size(); ++i) {
      TRY(renamed_.rows[i].key, key_of(usage_.rows[i]));
    }
    return std::move(renamed_);
  }

 private:
  Result<uint32_t> key_of(const UsageRow& row) {
    const auto& key = usage_.key(row);
    if (usage_.text(key.team) != unattributed_team) return row.key;
    auto [found, fresh] = candidates_.try_emplace(row.key);
    const Shown shown(usage_, key);
    if (fresh) found->second = candidates_of(shown, documents_);
    const auto until = row.period + usage_.grain;
    const auto cuts = [&](Instant at) { return row.period < at && at < until; };
    for (const auto& [document, rule] : found->second) {
      if (cuts(rule->interval.from) || cuts(rule->interval.until))
        return document_error(document->file, rule->line,
                              "the rule begins or ends inside the period of " +
                                  std::to_string(usage_.grain.count()) + " minutes that begins " +
                                  format_instant(row.period) + ", which cannot be split");
      if (rule->interval.contains(row.period)) return renamed_key(row.key, *rule, shown);
    }
    return row.key;
  }

  uint32_t renamed_key(uint32_t old, const ReattributionRule& rule, const Shown& shown) {
    const auto [known, fresh] = by_rule_.try_emplace({old, &rule});
    if (!fresh) return known->second;
    auto key = usage_.keys[old];
    key.project = intern(shown.decide(rule.project, key.project));
    key.workload = intern(shown.decide(rule.workload, key.workload));
    key.team = intern(shown.decide(rule.team, key.team));
    renamed_.keys.push_back(key);
    return known->second = static_cast<uint32_t>(renamed_.keys.size() - 1);
  }

  StringId intern(std::string_view text) {
    if (text.empty()) return {};
    const auto [found, fresh] = ids_.try_emplace(std::string(text), renamed_.strings.size());
    if (fresh) renamed_.strings.emplace_back(text);
    return {static_cast<uint32_t>(found->second)};
  }

  const UsageTable& usage_;
  std::span<const Reattribution> documents_;
  UsageTable renamed_;
  std::unordered_map<uint32_t, std::vector<Candidate>> candidates_;  // by key
  std::map<std::pair<uint32_t, const ReattributionRule*>, uint32_t> by_rule_;
  std::unordered_map<std::string, size_t> ids_;  // of the strings that were added
};

// An answer to which rows are added and from which rows are taken, each told apart as the query
// says. Sums that are nothing in the end leave no row.
class Sums {
 public:
  Sums(const UsageTable& like, ledger::DimensionMask group) : group_(group) {
    table_.context_boundaries = like.context_boundaries;
    table_.grain = like.grain;
    table_.as_of_sequence = like.as_of_sequence;
  }

  // Rows of another table follow.
  void aim(const UsageTable& source) {
    source_ = &source;
    key_of_.assign(source.keys.size(), none);
    string_of_.assign(source.strings.size(), none);
  }

  void add(const UsageRow& row, Instant period, int64_t sign) {
    const auto place = Place{period, key_of(row.key)};
    const auto [at, fresh] = sum_of_.try_emplace(place, sums_.size());
    if (fresh) {
      sums_.emplace_back();
      sums_.back().row.period = period;
      sums_.back().row.key = place.key;
    }
    auto& sum = sums_[at->second];
    const auto add_to = [&](int64_t& into, int64_t count) {
      is_overflow_ = is_overflow_ || __builtin_add_overflow(into, sign * count, &into);
    };
    add_to(sum.row.requests, row.requests);
    for (size_t i = 0; i < meter_count; ++i) add_to(sum.row.counts[i], row.counts[i]);
    for (uint32_t i = 0; i < row.extras_count; ++i) {
      const auto& extra = source_->extras[row.extras_begin + i];
      add_to(sum.extras[string_of(extra.name).value], extra.count);
    }
  }

  Result<UsageTable> finish() {
    if (is_overflow_)
      return Error{ErrorCode::overflow, "a sum of re-attributed usage is too large"};
    for (auto& [row, extras] : sums_) {
      row.extras_begin = static_cast<uint32_t>(table_.extras.size());
      for (const auto& [name, count] : extras)
        if (count != 0) table_.extras.push_back({StringId{name}, count});
      row.extras_count = static_cast<uint32_t>(table_.extras.size()) - row.extras_begin;
      if (row.requests != 0 || row.extras_count != 0 || row.counts != Counts{})
        table_.rows.push_back(row);
    }
    std::ranges::sort(table_.rows, [](const UsageRow& a, const UsageRow& b) {
      return std::tie(a.period, a.key) < std::tie(b.period, b.key);
    });
    return std::move(table_);
  }

 private:
  static constexpr uint32_t none = UINT32_MAX;
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

  StringId string_of(StringId id) {
    if (id.value == 0) return id;
    auto& mapped = string_of_[id.value];
    if (mapped == none) {
      const auto text = source_->text(id);
      const auto [found, fresh] = ids_.try_emplace(std::string(text), table_.strings.size());
      if (fresh) table_.strings.emplace_back(text);
      mapped = static_cast<uint32_t>(found->second);
    }
    return {mapped};
  }

  uint32_t key_of(uint32_t index) {
    auto& mapped = key_of_[index];
    if (mapped != none) return mapped;
    auto key = ledger::reduce(source_->keys[index], group_);
    for (auto* id :
         {&key.name_space, &key.team, &key.project, &key.workload, &key.provider,
          &key.provider_account, &key.model, &key.region, &key.accelerator, &key.program})
      *id = string_of(*id);
    const auto [found, fresh] = keys_.try_emplace(key, static_cast<uint32_t>(table_.keys.size()));
    if (fresh) table_.keys.push_back(key);
    return mapped = found->second;
  }

  ledger::DimensionMask group_;
  UsageTable table_;
  std::vector<Sum> sums_;
  std::unordered_map<Place, size_t, PlaceHash> sum_of_;
  std::map<UsageKey, uint32_t> keys_;
  std::unordered_map<std::string, size_t> ids_;
  bool is_overflow_ = false;
  const UsageTable* source_ = nullptr;
  std::vector<uint32_t> key_of_;     // of the source's keys
  std::vector<uint32_t> string_of_;  // of the source's strings
};

// --- answers --------------------------------------------------------------------------------

// What moves decides these, so they are asked of the moved rows and not of the ledger.
bool is_decided(ledger::Dimension dimension) {
  return dimension == ledger::Dimension::team || dimension == ledger::Dimension::project ||
         dimension == ledger::Dimension::workload;
}

bool passes(const UsageTable& usage, const UsageRow& row,
            const std::vector<ledger::Filter>& filters) {
  const auto& key = usage.key(row);
  return std::ranges::all_of(filters, [&](const ledger::Filter& filter) {
    switch (filter.dimension) {
      case ledger::Dimension::team: return usage.text(key.team) == filter.value;
      case ledger::Dimension::project: return usage.text(key.project) == filter.value;
      case ledger::Dimension::workload: return usage.text(key.workload) == filter.value;
      default: return true;
    }
  });
}

Instant bucket_of(Instant period, const ledger::UsageQuery& query, const TimeZone& zone) {
  switch (query.bucket) {
    case ledger::Bucket::none: return query.interval.from;
    case ledger::Bucket::grain: return period;
    case ledger::Bucket::hour: return std::chrono::floor<std::chrono::hours>(period);
    case ledger::Bucket::day: return zone.day_begin(zone.local_day(period));
    case ledger::Bucket::month: return zone.month_begin(zone.local_month(period));
  }
  return period;
}

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
  // No rules are said in so many words: that takes an earlier version back.
  TRY(fields.required("rules"));
  TRY(const auto rules, fields.list("rules"));
  TRY(fields.finish());
  if (rules.size() > rules_max)
    return fields.error("a re-attribution has at most " + std::to_string(rules_max) + " 'rules'");
  for (const auto& node : rules) {
    TRY(auto rule, read_rule(file, node));
    document.rules.push_back(std::move(rule));
  }
  return document;
}

Result<UsageTable> reattribute(const UsageTable& usage, std::span<const Reattribution> documents) {
  TRY(const auto renamed, Renaming(usage, documents).run());
  Sums sums(usage, ledger::all_dimensions);
  sums.aim(renamed);
  for (const auto& row : renamed.rows) sums.add(row, row.period, 1);
  return sums.finish();
}

ledger::UsageQuery unclaimed_query(const ledger::UsageQuery& query) {
  ledger::UsageQuery unclaimed;
  unclaimed.interval = query.interval;
  unclaimed.bucket = ledger::Bucket::grain;
  std::ranges::copy_if(query.filters, std::back_inserter(unclaimed.filters),
                       [](const auto& filter) { return !is_decided(filter.dimension); });
  unclaimed.filters.push_back({ledger::Dimension::team, std::string(unattributed_team)});
  return unclaimed;
}

Result<UsageTable> reattribute_answer(const UsageTable& answer, const UsageTable& unclaimed,
                                      const ledger::UsageQuery& query, const TimeZone& zone,
                                      std::span<const Reattribution> documents) {
  TRY(const auto renamed, Renaming(unclaimed, documents).run());
  Sums sums(answer, query.group);
  sums.aim(answer);
  for (const auto& row : answer.rows) sums.add(row, row.period, 1);
  for (const auto& [table, sign] : {std::pair(&unclaimed, int64_t{-1}), {&renamed, int64_t{1}}}) {
    sums.aim(*table);
    for (const auto& row : table->rows)
      if (passes(*table, row, query.filters))
        sums.add(row, bucket_of(row.period, query, zone), sign);
  }
  return sums.finish();
}

}  // namespace gauger::billing
