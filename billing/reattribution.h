// Re-attribution: usage that nobody claimed when it came in is given to a team by a document that
// is posted later. The journal stands; every reading of usage lays the posted documents over its
// rows. So an open month is rated with them, and a closed one shows as corrections (rerating.h).
//
//   kind: reattribution
//   id: keys-of-search
//   version: 2027-02-03
//   rules:
//     - match: {api_key: key_search, model: "claude-*"}   # all must match; * ends a prefix
//       team: search                # or team_from: tag.team
//       project: ranking            # or project_from; likewise workload
//       from: 2027-01-01            # half-open, on the ledger's grain
//       until: 2027-02-01
//
// A rule matches by kept evidence (schemas/evidence.h) and by namespace, project, workload,
// provider, provider_account, model and region of the row. Of several documents the one posted
// last decides, as far as a rule of it matches; in a document the first rule that matches does.
// A later version of a document, which may have no rules, takes the place of the one before.
// Only rows of the team `unattributed` move: what a producer said stands. Sums are kept to the
// last token. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/usage_query.h"
#include "schemas/evidence.h"
#include "schemas/instant.h"
#include "schemas/result.h"
#include "schemas/time_zone.h"
#include "schemas/usage_table.h"

namespace gauger::billing {

// What a rule sets: a fixed text, or the evidence or part of the key to take it from.
struct ReattributedText {
  std::string text;
  std::string from;
};

struct ReattributionRule {
  struct Condition {
    std::string name;
    std::string value;  // the prefix where `is_prefix`
    bool is_prefix = false;
  };
  std::vector<Condition> conditions;
  ReattributedText team;
  ReattributedText project;
  ReattributedText workload;
  Interval interval;
  int line = 0;  // of the document, for sentences
};

struct Reattribution {
  std::string file;  // for sentences
  std::string id;
  std::string version;
  std::vector<ReattributionRule> rules;
};

// YAML. Refusals name file and line.
Result<Reattribution> parse_reattribution(std::string_view text, std::string_view file);

// Usage by the fine grain under the documents, which are in the order in which they were posted.
// Rows of one period and key are one row. invalid_argument: a rule begins or ends inside a row's
// period, and the row cannot be split.
Result<UsageTable> reattribute(const UsageTable& usage, std::span<const Reattribution> documents);

// The same for any answer of the ledger, which need not be read anew by the fine grain:
// `unclaimed` answers unclaimed_query(query) and is what may move. The zone is the ledger's.
ledger::UsageQuery unclaimed_query(const ledger::UsageQuery& query);
Result<UsageTable> reattribute_answer(const UsageTable& answer, const UsageTable& unclaimed,
                                      const ledger::UsageQuery& query, const TimeZone& zone,
                                      std::span<const Reattribution> documents);

}  // namespace gauger::billing
