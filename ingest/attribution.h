// Who an event belongs to, where its producer did not say: a mapping document decides from what
// the record shows (api key, workspace, tags, headers, account), by dated rules, the first that
// matches. What no rule claims goes to the team `unattributed` and keeps what it showed (api key,
// workspace, subject, source, and what the document names) where the producer named no workload
// or project: a document posted later can claim it (billing/reattribution.h).
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

#include "ingest/formats/event_memory.h"
#include "schemas/evidence.h"
#include "schemas/instant.h"
#include "schemas/result.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

class Attribution {
 public:
  // The empty document, which claims nothing.
  Attribution() = default;
  static Result<Attribution> parse(std::string_view yaml);

  // Fills in team, project and workload where the event has no team, and marks the event as
  // attributed. The views it sets point into this document, the evidence or the memory. The mark
  // depends on the evidence alone, and not on headers, which can decide but are transport.
  void attribute(UsageEvent& event, std::span<const Evidence> evidence, EventMemory& memory) const;

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

  void keep(UsageEvent& event, std::span<const Evidence> evidence, EventMemory& memory) const;

  std::vector<Rule> rules_;
  std::vector<std::string> names_;  // evidence that the rules look at
};

// Gives an event of the canonical formats, which carries nothing else to decide by, a team from
// its source, its account and what travelled beside it (evidence named header.<name>).
void attribute_canonical(UsageEvent& event, std::span<const Evidence> headers,
                         const Attribution& attribution, EventMemory& memory);

}  // namespace gauger::ingest
