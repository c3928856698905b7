// Why: a team pays for what a rule claims in its name, on the day of the call, and a redelivery
// under a later rule must not look like other content.
#include "ingest/attribution.h"

#include "ingest/formats.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

Attribution parse(std::string_view yaml) {
  auto document = Attribution::parse(yaml);
  INFO((document.has_value() ? "" : document.error().sentence));
  REQUIRE(document.has_value());
  return std::move(document).value();
}

UsageEvent attributed(const Attribution& document, std::vector<Evidence> evidence,
                      UsageEvent event = {}) {
  if (event.completed_at == no_instant)
    event.completed_at = parse_instant("2027-01-16T10:00:00Z").value();
  static EventMemory memory;  // the events of a test look into it
  document.attribute(event, evidence, memory);
  return event;
}

std::string refusal(const std::string& yaml) {
  const auto document = Attribution::parse(yaml);
  REQUIRE_FALSE(document.has_value());
  CHECK(document.error().code == ErrorCode::invalid_argument);
  return document.error().sentence;
}

}  // namespace

TEST_CASE("the first rule that matches decides, all of its conditions must hold", "[ingest]") {
  const auto document = parse(R"(
attribution:
  - match: {api_key: k-1, tag.env: prod}
    team: search
    project: ranking
  - match: {api_key: "k-*"}
    team: platform
    workload: shared
  - match: {tag.team: "*"}
    team_from: tag.team
)");
  const auto search = attributed(document, {{"api_key", "k-1"}, {"tag.env", "prod"}});
  CHECK(search.team == "search");
  CHECK(search.project == "ranking");
  CHECK(search.workload.empty());
  CHECK(attributed(document, {{"api_key", "k-1"}, {"tag.env", "test"}}).team == "platform");
  CHECK(attributed(document, {{"tag.team", "ads"}}).team == "ads");
  CHECK(attributed(document, {{"tag.team", ""}}).team == "unattributed");
  CHECK(attributed(document, {{"api_key", "other"}}).team == "unattributed");
  CHECK(attributed(Attribution(), {{"api_key", "k-1"}}).team == "unattributed");
}

TEST_CASE("rules hold from and until, by the time of completion", "[ingest]") {
  const auto document = parse(R"(
attribution:
  - {match: {api_key: k}, team: old, until: 2027-01-01}
  - {match: {api_key: k}, team: new, from: 2027-01-01}
)");
  const auto at = [&](std::string_view time) {
    UsageEvent event;
    event.completed_at = parse_instant(time).value();
    return attributed(document, {{"api_key", "k"}}, event).team;
  };
  CHECK(at("2026-12-31T23:59:59.999999Z") == "old");
  CHECK(at("2027-01-01T00:00:00Z") == "new");
}

TEST_CASE("what the producer said of the team stands", "[ingest]") {
  const auto document = parse("attribution: [{match: {api_key: k}, team: a, project: b}]");
  UsageEvent event;
  event.team = "said";
  const auto kept = attributed(document, {{"api_key", "k"}}, event);
  CHECK(kept.team == "said");
  CHECK(kept.project.empty());
  CHECK(kept.attribution_hash == 0);
  event.team = {};
  event.project = "said";
  const auto filled = attributed(document, {{"api_key", "k"}}, event);
  CHECK(filled.team == "a");
  CHECK(filled.project == "said");
}

TEST_CASE("the mark of attribution is of the evidence and nothing else", "[ingest]") {
  const auto document = parse("attribution: [{match: {api_key: k}, team: a}]");
  const auto hash = [](const Attribution& by, std::vector<Evidence> evidence) {
    return attributed(by, std::move(evidence)).attribution_hash;
  };
  const auto mark = hash(document, {{"api_key", "k"}, {"user", "u"}});
  CHECK(mark != 0);
  CHECK(hash(Attribution(), {{"user", "u"}, {"api_key", "k"}}) == mark);
  CHECK(hash(document, {{"api_key", "k"}, {"user", "u"}, {"header.trace", "7"}}) == mark);
  CHECK(hash(document, {{"api_key", "k"}, {"user", "u"}, {"subject", ""}}) == mark);
  CHECK(hash(document, {{"api_key", "ku"}, {"user", ""}}) != mark);
  CHECK(hash(document, {{"api_key", "k"}}) != mark);
}

TEST_CASE("what no rule claims keeps what it showed where there is room", "[ingest]") {
  const auto document = parse(R"(
attribution:
  - {match: {tag.env: prod, header.x-key: k}, team: search}
  - {match: {user: nobody}, team_from: tag.owner}
)");
  const std::vector<Evidence> evidence = {
      {"api_key", "k-1"}, {"user", "ada"},       {"tag.env", "test"}, {"tag.trace", "af31"},
      {"source", "gw"},   {"header.x-key", "k"}, {"tag.owner", "o"}};
  const auto bare = attributed(document, evidence);
  CHECK(bare.team == "unattributed");
  CHECK(bare.workload == "api_key=k-1 source=gw header.x-key=k tag.env=test tag.owner=o user=ada");
  CHECK(bare.project.empty());
  CHECK(attributed(Attribution(), evidence).workload == "api_key=k-1 source=gw");
  CHECK(attributed(Attribution(), evidence).attribution_hash == bare.attribution_hash);
  UsageEvent event;
  event.workload = "answers";
  CHECK(attributed(Attribution(), evidence, event).workload == "answers");
  CHECK(attributed(Attribution(), evidence, event).project == "api_key=k-1 source=gw");
  event.project = "ranking";
  CHECK(attributed(Attribution(), evidence, event).project == "ranking");
  CHECK(attributed(Attribution(), {}).workload.empty());
}

TEST_CASE("headers decide in any case of their names", "[ingest]") {
  const auto document = parse("attribution: [{match: {header.X-Team-Key: abc}, team: a}]");
  CHECK(attributed(document, {{"header.x-team-key", "abc"}}).team == "a");
}

TEST_CASE("an attribution document that cannot be meant is refused with a sentence", "[ingest]") {
  CHECK(refusal("[").find("not YAML") != std::string::npos);
  CHECK(refusal("rules: []").find("'attribution'") != std::string::npos);
  CHECK(refusal("attribution: {a: b}").find("list of rules") != std::string::npos);
  CHECK(refusal("attribution: [{team: a}]") == "attribution rule 1: 'match' is missing or empty");
  CHECK(refusal("attribution: [{match: {api_key: k}}]").find("'team' or 'team_from'") !=
        std::string::npos);
  CHECK(refusal("attribution: [{match: {apikey: k}, team: a}]").find("'apikey'") !=
        std::string::npos);
  CHECK(refusal("attribution: [{match: {api_key: k}, team: a, team_from: user}]").find("twice") !=
        std::string::npos);
  CHECK(refusal("attribution: [{match: {api_key: k}, taem: a}]").find("'taem'") !=
        std::string::npos);
  CHECK(refusal("attribution: [{match: {api_key: k}, team: a, from: soon}]").find("'soon'") !=
        std::string::npos);
  CHECK(refusal("attribution: [{match: {api_key: k}, team: a, from: 2027-02-01, until: "
                "2027-01-01}]")
            .find("'until'") != std::string::npos);
}
