// Who an event belongs to, where its producer did not say: a mapping document decides from what
// the record shows (api key, workspace, tags, headers, account), by dated rules, the first that
// matches. What no rule claims goes to the team `unattributed`, which posted corrections can
// move later.
//
//   attribution:
//     - match: {api_key: key_search, header.x-env: prod*}   # all must match; * ends a prefix
//       team: search
//       project: ranking
//       from: 2027-01-01          # by the time of completion, half-open
//       until: 2027-07-01
//     - match: {tag.team: "*"}
//       team_from: tag.team       # the team is what the tag says
//
// Immutable after parsing, and so shared by threads.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/instant.h"
#include "schemas/result.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

inline constexpr std::string_view unattributed_team = "unattributed";

// One thing that a record shows about who sent it: "api_key", "workspace", "user", "subject",
// "provider_account", "source", "tag.<name>", "header.<name in lower case>".
struct Evidence {
  std::string_view name;
  std::string_view value;
};

class Attribution {
 public:
  // The empty document, which claims nothing.
  Attribution() = default;
  static Result<Attribution> parse(std::string_view yaml);

  // Fills in team, project and workload where the event has no team, and marks the event as
  // attributed. The views it sets point into this document or into the evidence. Idempotent
  // hashing: evidence from headers can decide, but is transport and not part of the mark.
  void attribute(UsageEvent& event, std::span<const Evidence> evidence) const;

 private:
  struct Condition {
    std::string name;
    std::string value;  // the prefix where `is_prefix`
    bool is_prefix;
  };
  // A fixed text, or the name of the evidence to take it from.
  struct Text {
    std::string value;
    std::string from;
  };
  struct Rule {
    std::vector<Condition> conditions;
    Text team;
    Text project;
    Text workload;
    Interval interval;
  };
  friend class AttributionParser;

  static bool matches(const Rule& rule, std::span<const Evidence> evidence, Instant completed_at);

  std::vector<Rule> rules_;
};

// Gives an event of the canonical formats, which carries nothing else to decide by, a team from
// its source, its account and what travelled beside it (evidence named header.<name>).
void attribute_canonical(UsageEvent& event, std::span<const Evidence> headers,
                         const Attribution& attribution);

}  // namespace gauger::ingest
