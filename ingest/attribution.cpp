#include "ingest/attribution.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

// Looked through for every event without a team.
constexpr size_t rules_max = 10'000;
constexpr std::string_view header_prefix = "header.";

// The longest past and future that an open end means.
constexpr Interval always = {instant_from_us(std::numeric_limits<int64_t>::min() + 1),
                             instant_from_us(std::numeric_limits<int64_t>::max())};

std::string_view find(std::span<const Evidence> evidence, std::string_view name) {
  for (const auto& [evidence_name, value] : evidence)
    if (evidence_name == name) return value;
  return {};
}

// A length before each text, so that no two lists of texts run together.
void append(std::string& bytes, std::string_view text) {
  bytes += fmt::format("{}:", text.size());
  bytes += text;
}

// Stable over time: stored in content hashes. Names and values in order of names, then what the
// producer said of project and workload.
uint64_t hash(const UsageEvent& event, std::span<const Evidence> evidence) {
  std::vector<Evidence> sorted;
  for (const auto& item : evidence)
    if (!item.name.starts_with(header_prefix) && !item.value.empty()) sorted.push_back(item);
  std::sort(sorted.begin(), sorted.end(), [](const Evidence& a, const Evidence& b) {
    return std::tie(a.name, a.value) < std::tie(b.name, b.value);
  });
  std::string bytes;
  for (const auto& [name, value] : sorted) {
    append(bytes, name);
    append(bytes, value);
  }
  append(bytes, event.project);
  append(bytes, event.workload);
  const auto digest = XXH3_64bits(bytes.data(), bytes.size());
  return digest == 0 ? 1 : digest;
}

}  // namespace

// --- the document ---------------------------------------------------------------------------

class AttributionParser {
 public:
  Result<Attribution> parse(const YAML::Node& document) {
    if (!document.IsMap() || document.size() != 1 || !document["attribution"])
      return invalid_argument("an attribution document has one key, 'attribution'");
    const auto rules = document["attribution"];
    if (!rules.IsSequence()) return invalid_argument("'attribution' is a list of rules");
    if (rules.size() > rules_max)
      return invalid_argument(fmt::format("more than {} attribution rules", rules_max));
    Attribution attribution;
    for (size_t i = 0; i < rules.size(); ++i) {
      place_ = fmt::format("attribution rule {}", i + 1);
      TRY(auto rule, parse_rule(rules[i]));
      note_names(rule, attribution.names_);
      attribution.rules_.push_back(std::move(rule));
    }
    std::ranges::sort(attribution.names_);
    attribution.names_.erase(std::unique(attribution.names_.begin(), attribution.names_.end()),
                             attribution.names_.end());
    return attribution;
  }

 private:
  static void note_names(const Attribution::Rule& rule, std::vector<std::string>& names) {
    for (const auto& condition : rule.conditions) names.push_back(condition.name);
    for (const auto* text : {&rule.team, &rule.project, &rule.workload})
      if (!text->from.empty()) names.push_back(text->from);
  }

  Error refuse(std::string_view what) const {
    return invalid_argument(fmt::format("{}: {}", place_, what));
  }

  Result<Attribution::Rule> parse_rule(const YAML::Node& node) {
    if (!node.IsMap()) return refuse("is not a map");
    Attribution::Rule rule;
    rule.interval = always;
    for (const auto& member : node) {
      const auto key = member.first.Scalar();
      const auto& value = member.second;
      if (key == "match") {
        TRY(rule.conditions, parse_conditions(value));
      } else {
        TRY(parse_member(rule, key, value));
      }
    }
    if (rule.conditions.empty()) return refuse("'match' is missing or empty");
    if (rule.team.value.empty() && rule.team.from.empty())
      return refuse("'team' or 'team_from' is missing");
    if (rule.interval.until <= rule.interval.from) return refuse("'until' is not after 'from'");
    return rule;
  }

  Result<void> parse_member(Attribution::Rule& rule, const std::string& key,
                            const YAML::Node& value) {
    if (!value.IsScalar() || value.Scalar().empty())
      return refuse(fmt::format("'{}' is not a text", key));
    const auto& text = value.Scalar();
    if (key == "from" || key == "until") {
      TRY(const auto instant, parse_instant(text));
      (key == "from" ? rule.interval.from : rule.interval.until) = instant;
      return success();
    }
    if (text.size() > limits::text_bytes_max) return refuse(fmt::format("'{}' is too long", key));
    const std::array<std::pair<std::string_view, Attribution::Text*>, 3> texts = {
        {{"team", &rule.team}, {"project", &rule.project}, {"workload", &rule.workload}}};
    for (const auto& [name, into] : texts) {
      if (key != name && key != fmt::format("{}_from", name)) continue;
      if (!into->value.empty() || !into->from.empty())
        return refuse(fmt::format("'{}' is decided twice", name));
      (key == name ? into->value : into->from) = text;
      return success();
    }
    return refuse(fmt::format("'{}' is not a key of a rule", key));
  }

  Result<std::vector<Attribution::Condition>> parse_conditions(const YAML::Node& node) {
    if (!node.IsMap()) return refuse("'match' is not a map");
    std::vector<Attribution::Condition> conditions;
    for (const auto& member : node) {
      auto name = member.first.Scalar();
      if (!is_evidence_name(name))
        return refuse(
            fmt::format("'{}' is not evidence: api_key, workspace, user, subject, "
                        "provider_account, source, tag.<name> or header.<name>",
                        name));
      if (!member.second.IsScalar()) return refuse(fmt::format("'{}' is not a text", name));
      auto value = member.second.Scalar();
      const auto is_prefix = value.ends_with('*');
      if (is_prefix) value.pop_back();
      if (name.starts_with(header_prefix))
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      conditions.push_back({std::move(name), std::move(value), is_prefix});
    }
    return conditions;
  }

  std::string place_;
};

Result<Attribution> Attribution::parse(std::string_view yaml) {
  if (yaml.size() > limits::document_bytes_max)
    return invalid_argument("the attribution document is too large");
  try {
    return AttributionParser().parse(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& exception) {
    return invalid_argument(
        fmt::format("the attribution document is not YAML: {}", exception.what()));
  }
}

// --- events ---------------------------------------------------------------------------------

bool Attribution::matches(const Rule& rule, std::span<const Evidence> evidence,
                          Instant completed_at) {
  if (!rule.interval.contains(completed_at)) return false;
  const auto holds = [&](const Condition& condition) {
    const auto value = find(evidence, condition.name);
    if (value.empty()) return false;
    return condition.is_prefix ? value.starts_with(condition.value) : value == condition.value;
  };
  // A text that is taken from evidence needs it to be there.
  return std::ranges::all_of(rule.conditions, holds) &&
         (rule.team.from.empty() || !find(evidence, rule.team.from).empty());
}

void Attribution::attribute(UsageEvent& event, std::span<const Evidence> evidence,
                            EventMemory& memory) const {
  if (!event.team.empty()) return;
  event.attribution_hash = hash(event, evidence);
  for (const auto& rule : rules_) {
    if (!matches(rule, evidence, event.completed_at)) continue;
    const auto decide = [&](const Text& text, std::string_view& into) {
      if (into.empty()) into = text.from.empty() ? text.value : find(evidence, text.from);
    };
    decide(rule.team, event.team);
    decide(rule.project, event.project);
    decide(rule.workload, event.workload);
    return;
  }
  event.team = unattributed_team;
  keep(event, evidence, memory);
}

void Attribution::keep(UsageEvent& event, std::span<const Evidence> evidence,
                       EventMemory& memory) const {
  auto& place = event.workload.empty() ? event.workload : event.project;
  if (place.empty()) place = memory.keep(keep_evidence(evidence, names_));
}

void attribute_canonical(UsageEvent& event, std::span<const Evidence> headers,
                         const Attribution& attribution, EventMemory& memory) {
  std::vector<Evidence> evidence(headers.begin(), headers.end());
  evidence.push_back({"source", event.source});
  evidence.push_back({"provider_account", event.provider_account});
  attribution.attribute(event, evidence, memory);
}

}  // namespace gauger::ingest
