// Why: usage that nobody claimed must be claimable later, to the token, on the right days, and
// only that; whoever reads a month before and after must find the difference and nothing else.
#include "billing/reattribution.h"

#include <map>

#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

Reattribution parse(const std::string& rules, std::string_view id = "r") {
  const auto text =
      "kind: reattribution\nid: " + std::string(id) + "\nversion: 1\nrules:\n" + rules;
  auto parsed = parse_reattribution(text, "r.yaml");
  INFO((parsed.has_value() ? "" : parsed.error().sentence));
  REQUIRE(parsed.has_value());
  return std::move(parsed).value();
}

std::string refusal(const std::string& rules) {
  const auto parsed =
      parse_reattribution("kind: reattribution\nid: r\nversion: 1\nrules:\n" + rules, "r.yaml");
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().sentence;
}

// {"time team/project/workload model": {requests, input, extras}}
using Rows = std::map<std::string, std::vector<int64_t>>;

Rows rows_of(const UsageTable& usage) {
  Rows rows;
  for (const auto& row : usage.rows) {
    const auto& key = usage.key(row);
    const auto name =
        format_instant(row.period).substr(5, 11) + " " + std::string(usage.text(key.team)) + "/" +
        std::string(usage.text(key.project)) + "/" + std::string(usage.text(key.workload)) + " " +
        std::string(usage.text(key.model));
    int64_t extras = 0;
    for (uint32_t i = 0; i < row.extras_count; ++i)
      extras += usage.extras[row.extras_begin + i].count;
    const auto fresh =
        rows.emplace(name, std::vector<int64_t>{row.requests, row.counts[0], extras}).second;
    CHECK(fresh);  // one row per period and key
  }
  return rows;
}

Rows reattributed(const UsageTable& usage, const std::vector<Reattribution>& documents) {
  const auto moved = reattribute(usage, documents);
  INFO((moved.has_value() ? "" : moved.error().sentence));
  REQUIRE(moved.has_value());
  return rows_of(moved.value());
}

Request unclaimed(std::string_view at, std::string_view workload, std::string_view model = "m") {
  return {.at = at, .team = "unattributed", .model = model, .workload = workload};
}

constexpr auto input = Meter::input_uncached;

}  // namespace

TEST_CASE("unclaimed usage moves to the team that a later document names", "[billing]") {
  const auto usage =
      UsageBuilder()
          .add(unclaimed("2027-01-05T10:00:00Z", "api_key=k1 source=gw"), {{input, 5}},
               {{"pages", 2}})
          .add({.at = "2027-01-05T10:00:00Z",
                .team = "search",
                .project = "ranking",
                .model = "m",
                .workload = "answers"},
               {{input, 7}}, {{"pages", 3}, {"calls", 1}})
          .add(unclaimed("2027-01-05T10:00:00Z", "api_key=k2 source=gw"), {{input, 11}})
          .add(
              {.at = "2027-01-05T10:00:00Z", .team = "ads", .model = "m", .workload = "api_key=k1"},
              {{input, 13}})
          .table();
  const auto document = parse(
      "  - {match: {api_key: k1, model: m}, team: search, project: ranking, workload: answers}\n");
  // The sum is one row, what another team said of itself stands, and nothing is lost.
  CHECK(reattributed(usage, {document}) ==
        Rows{{"01-05T10:00 search/ranking/answers m", {2, 12, 6}},
             {"01-05T10:00 unattributed//api_key=k2 source=gw m", {1, 11, 0}},
             {"01-05T10:00 ads//api_key=k1 m", {1, 13, 0}}});
  // Laying it over twice moves nothing more.
  const auto once = reattribute(usage, std::vector{document}).value();
  CHECK(reattributed(once, {document}) == rows_of(once));
  CHECK(reattributed(usage, {}) == rows_of(usage));
}

TEST_CASE("re-attribution keeps what the producer said of project and workload", "[billing]") {
  const auto usage = UsageBuilder()
                         .add({.at = "2027-01-05T10:00:00Z",
                               .team = "unattributed",
                               .project = "workspace=ml",
                               .model = "m",
                               .workload = "answers"},
                              {{input, 1}})
                         .add({.at = "2027-01-05T10:00:00Z",
                               .team = "unattributed",
                               .project = "p",
                               .model = "m",
                               .workload = "w"},
                              {{input, 2}})
                         .table();
  CHECK(reattributed(usage, {parse("  - {match: {workspace: 'm*'}, team_from: workspace}\n"
                                   "  - {match: {project: p, workload: w}, team: t}\n")}) ==
        Rows{{"01-05T10:00 ml//answers m", {1, 1, 0}}, {"01-05T10:00 t/p/w m", {1, 2, 0}}});
}

TEST_CASE("re-attribution rules hold from and until, on the grain", "[billing]") {
  const auto usage = UsageBuilder()
                         .add(unclaimed("2027-01-31T23:30:00Z", "api_key=k"), {{input, 1}})
                         .add(unclaimed("2027-02-01T00:00:00Z", "api_key=k"), {{input, 2}})
                         .add(unclaimed("2027-02-28T23:30:00Z", "api_key=k"), {{input, 4}})
                         .add(unclaimed("2027-03-01T00:00:00Z", "api_key=k"), {{input, 8}})
                         .table();
  CHECK(reattributed(usage, {parse("  - {match: {api_key: k}, team: t, from: 2027-02-01, "
                                   "until: 2027-03-01}\n")}) ==
        Rows{{"01-31T23:30 unattributed//api_key=k m", {1, 1, 0}},
             {"02-01T00:00 t// m", {1, 2, 0}},
             {"02-28T23:30 t// m", {1, 4, 0}},
             {"03-01T00:00 unattributed//api_key=k m", {1, 8, 0}}});
  const std::vector cut = {
      parse("  - {match: {api_key: k}, team: t, from: \"2027-02-01T00:10:00Z\"}\n")};
  const auto refused = reattribute(usage, cut);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sentence.starts_with("r.yaml:5: the rule begins or ends inside"));
}

TEST_CASE("of several re-attributions the one posted last decides", "[billing]") {
  const auto usage = UsageBuilder()
                         .add(unclaimed("2027-01-05T10:00:00Z", "api_key=k1", "a"), {{input, 1}})
                         .add(unclaimed("2027-01-05T10:00:00Z", "api_key=k1", "b"), {{input, 2}})
                         .add(unclaimed("2027-01-05T10:00:00Z", "api_key=k2", "b"), {{input, 4}})
                         .table();
  const auto first = parse("  - {match: {api_key: 'k*'}, team: first}\n");
  const auto second = parse("  - {match: {api_key: k1, model: b}, team: second}\n");
  const auto undone =
      parse("  - {match: {api_key: k1}, team: unattributed, workload_from: api_key}\n");
  CHECK(reattributed(usage, {first, second}) == Rows{{"01-05T10:00 first// a", {1, 1, 0}},
                                                     {"01-05T10:00 second// b", {1, 2, 0}},
                                                     {"01-05T10:00 first// b", {1, 4, 0}}});
  CHECK(reattributed(usage, {second, first}) ==
        Rows{{"01-05T10:00 first// a", {1, 1, 0}}, {"01-05T10:00 first// b", {2, 6, 0}}});
  CHECK(reattributed(usage, {first, undone}) == Rows{{"01-05T10:00 unattributed//k1 a", {1, 1, 0}},
                                                     {"01-05T10:00 unattributed//k1 b", {1, 2, 0}},
                                                     {"01-05T10:00 first// b", {1, 4, 0}}});
}

TEST_CASE("a secret key in a re-attribution rule matches what was kept of it", "[billing]") {
  const std::string secret = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz";
  const auto kept = keep_evidence(std::vector<Evidence>{{"api_key", secret}}, {});
  const auto usage =
      UsageBuilder().add(unclaimed("2027-01-05T10:00:00Z", kept), {{input, 1}}).table();
  CHECK(reattributed(usage, {parse("  - {match: {api_key: " + secret + "}, team: t}\n")}) ==
        Rows{{"01-05T10:00 t// m", {1, 1, 0}}});
}

TEST_CASE("a re-attribution that cannot be meant is refused with its line", "[billing]") {
  CHECK(refusal("  - {team: a}\n").find("'match'") != std::string::npos);
  CHECK(refusal("  - {match: {}, team: a}\n").find("map of conditions") != std::string::npos);
  CHECK(refusal("  - {match: {api_key: k}}\n") == "r.yaml:5: 'team' or 'team_from' is missing");
  CHECK(refusal("  - {match: {apikey: k}, team: a}\n").find("'apikey' is nothing that usage") !=
        std::string::npos);
  CHECK(refusal("  - {match: {api_key: k}, team: a, team_from: user}\n").find("twice") !=
        std::string::npos);
  CHECK(refusal("  - {match: {api_key: k}, team_from: usre}\n").find("'usre'") !=
        std::string::npos);
  CHECK(refusal("  - {match: {api_key: k}, team: a, form: 2027-01-01}\n").find("'form'") !=
        std::string::npos);
  CHECK(refusal("  - {match: {api_key: k}, team: a, from: 2027-02-01, until: 2027-02-01}\n")
            .find("ends before") != std::string::npos);
  CHECK(parse_reattribution("kind: reattribution\nid: x\nversion: 1\nrules: []\n", "f")
            .value()
            .rules.empty());
  CHECK_FALSE(parse_reattribution("kind: reattribution\nid: x\nversion: 1\n", "f").has_value());
  CHECK(parse_reattribution("kind: price_book\nid: x\nversion: 1\n", "f").error().sentence ==
        "f:1: 'kind: price_book' is not a reattribution");
}
