// Why: a team that moves takes its new costs along, and leaves the old ones where they were.
#include "billing/chargeback/organisation.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {
const std::string head = "kind: organisation\nid: acme\nversion: 1\n";
}

TEST_CASE("teams belong to units by date, and units know who is billed", "[billing]") {
  const auto acme = parse_organisation(head + R"(units:
  - {id: acme, bill_to: acme-ag}
  - {id: research, parent: acme, bill_to: acme-research}
  - {id: search, parent: research}
  - {id: sales, parent: acme}
teams:
  - {team: ranking, unit: search}
  - {team: ranking, unit: sales, effective_from: 2026-06-01}
  - {team: crawling, unit: search, effective_from: 2026-01-01}
)",
                                       "o.yaml")
                        .value();
  const auto may = parse_instant("2026-05-31T23:30:00Z").value();
  const auto june = parse_instant("2026-06-01").value();
  CHECK(path_of(acme, "ranking", may) == std::vector<std::string>{"acme", "research", "search"});
  CHECK(bill_to_of(acme, "ranking", may) == "acme-research");
  CHECK(bill_to_of(acme, "ranking", june) == "acme-ag");
  CHECK(bill_to_of(acme, "unknown", june) == "unknown");
  CHECK(path_of(acme, "crawling", parse_instant("2025-12-31").value()).empty());
  CHECK(teams_of(acme, "acme-research", may) == std::vector<std::string>{"crawling", "ranking"});
  CHECK(teams_of(acme, "acme-research", june) == std::vector<std::string>{"crawling"});
}

TEST_CASE("trees with circles, strangers or doubles are refused", "[billing]") {
  const auto refused = [](const std::string& rest) {
    return parse_organisation(head + rest, "o.yaml").error().sentence;
  };
  CHECK(refused("units: [{id: a, parent: b}, {id: b, parent: a}]\n") ==
        "o.yaml:4: the parent 'b' of 'a' does not stand above it");
  CHECK(refused("units: [{id: a}, {id: a}]\n") == "o.yaml:4: the unit 'a' stands twice");
  CHECK(refused("units: [{id: a}]\nteams: [{team: t, unit: b}]\n") ==
        "o.yaml:5: the unit 'b' of team 't' is not known");
  CHECK(refused("units: [{id: a}]\nteams: [{team: t, unit: a}, {team: t, unit: a}]\n") ==
        "o.yaml:5: the team 't' belongs to two units at once, see line 5");
  CHECK(refused("units: []\n").find("1 to 100000 'units'") != std::string::npos);
}
