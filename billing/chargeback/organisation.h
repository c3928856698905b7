// The organisation tree: units with parents, and which unit a team belonged to when. A team
// that moves takes its new costs with it, never its past. Values; no threads.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/document.h"
#include "billing/precedence.h"

namespace gauger::billing {

struct Unit {
  std::string parent;   // empty: a root
  std::string bill_to;  // who gets the invoices; empty: as the parent
};

struct Membership {
  int line = 0;
  std::string unit;
  Instant from = begin_of_time;  // until the team's next one
};

struct Organisation {
  std::string file;
  std::string id;
  std::string version;
  std::optional<Instant> applies_from;
  std::map<std::string, Unit, std::less<>> units;
  std::map<std::string, std::vector<Membership>, std::less<>> teams;  // by begin
};

Result<Organisation> parse_organisation(std::string_view text, std::string_view file);
Result<Organisation> read_organisation(const Node& root, std::string_view file);

// From the root to the team's unit; empty for a team that the tree does not know at that time.
std::vector<std::string> path_of(const Organisation& organisation, std::string_view team,
                                 Instant at);
// The bill-to of the nearest unit upwards that has one; the team itself where there is none.
std::string bill_to_of(const Organisation& organisation, std::string_view team, Instant at);
// Teams whose bill-to is that one at the time, by name.
std::vector<std::string> teams_of(const Organisation& organisation, std::string_view bill_to,
                                  Instant at);

}  // namespace gauger::billing
