#include "billing/chargeback/organisation.h"

#include <algorithm>

namespace gauger::billing {
namespace {

constexpr size_t names_max = 100'000;
constexpr size_t depth_max = 32;

Result<void> read_unit(std::string_view file, const Node& node, Organisation& organisation) {
  TRY(auto fields, Fields::of(file, node, "a unit"));
  TRY(const auto id, fields.text("id"));
  Unit unit;
  TRY(unit.parent, fields.text_or("parent", ""));
  TRY(unit.bill_to, fields.text_or("bill_to", ""));
  TRY(fields.finish());
  // Parents come first, so that there are no circles.
  if (!unit.parent.empty() && !organisation.units.contains(unit.parent))
    return fields.error("the parent '" + unit.parent + "' of '" + id + "' does not stand above it");
  if (!organisation.units.emplace(id, unit).second)
    return fields.error("the unit '" + id + "' stands twice");
  size_t depth = 1;
  for (auto parent = unit.parent; !parent.empty(); parent = organisation.units[parent].parent)
    if (++depth > depth_max)
      return fields.error("the tree is deeper than " + std::to_string(depth_max) + " levels");
  return success();
}

Result<void> read_team(std::string_view file, const Node& node, Organisation& organisation) {
  TRY(auto fields, Fields::of(file, node, "a team"));
  TRY(const auto team, fields.text("team"));
  Membership membership;
  membership.line = node.line;
  TRY(membership.unit, fields.text("unit"));
  TRY(const auto from, fields.instant("effective_from"));
  TRY(fields.finish());
  membership.from = from.value_or(begin_of_time);
  if (!organisation.units.contains(membership.unit))
    return fields.error("the unit '" + membership.unit + "' of team '" + team + "' is not known");
  auto& memberships = organisation.teams[team];
  for (const auto& other : memberships)
    if (other.from == membership.from)
      return fields.error("the team '" + team + "' belongs to two units at once, see line " +
                          std::to_string(other.line));
  memberships.push_back(std::move(membership));
  std::sort(memberships.begin(), memberships.end(),
            [](const auto& a, const auto& b) { return a.from < b.from; });
  return success();
}

}  // namespace

Result<Organisation> parse_organisation(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_organisation(root, file);
}

Result<Organisation> read_organisation(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "an organisation"));
  Organisation organisation;
  TRY(read_heading(fields, "organisation", organisation));
  TRY(const auto units, fields.list("units"));
  TRY(const auto teams, fields.list("teams"));
  TRY(fields.finish());
  if (units.empty() || units.size() > names_max || teams.size() > names_max)
    return fields.error("an organisation has 1 to " + std::to_string(names_max) +
                        " 'units', and at most as many 'teams'");
  for (const auto& node : units) {
    TRY(read_unit(file, node, organisation));
  }
  for (const auto& node : teams) {
    TRY(read_team(file, node, organisation));
  }
  return organisation;
}

std::vector<std::string> path_of(const Organisation& organisation, std::string_view team,
                                 Instant at) {
  std::vector<std::string> path;
  const auto found = organisation.teams.find(team);
  if (found == organisation.teams.end()) return path;
  const Membership* current = nullptr;
  for (const auto& membership : found->second)
    if (membership.from <= at) current = &membership;
  if (current == nullptr) return path;
  for (auto unit = current->unit; !unit.empty();
       unit = organisation.units.find(unit)->second.parent)
    path.push_back(unit);
  std::reverse(path.begin(), path.end());
  return path;
}

std::string bill_to_of(const Organisation& organisation, std::string_view team, Instant at) {
  const auto path = path_of(organisation, team, at);
  for (auto unit = path.rbegin(); unit != path.rend(); ++unit) {
    const auto& bill_to = organisation.units.find(*unit)->second.bill_to;
    if (!bill_to.empty()) return bill_to;
  }
  return std::string(team);
}

std::vector<std::string> teams_of(const Organisation& organisation, std::string_view bill_to,
                                  Instant at) {
  std::vector<std::string> teams;
  for (const auto& [team, memberships] : organisation.teams)
    if (bill_to_of(organisation, team, at) == bill_to) teams.push_back(team);
  return teams;
}

}  // namespace gauger::billing
