// Why: the running month's cost is scraped every few seconds and must neither read every event's
// period nor differ from what the invoice will say. How: usage of every hour and region, under
// price books that change at midnight, at noon, by the hour of the day and by region; each event's
// price is known to the test.
#include <functional>

#include "tests/unit/exporters/api_bench.h"

using namespace gauger;
using namespace gauger::exporters;
using namespace gauger::exporters::testing;

namespace {

struct Used {
  std::string team;
  std::string region;
  Instant at;
  int64_t tokens = 0;
};

std::vector<Used> usage_of_ten_days() {
  std::vector<Used> all;
  for (int i = 0; i < 480; ++i) {
    const auto when = at("2027-01-05T00:10:00Z") + std::chrono::minutes{30 * i};
    all.push_back({i % 3 == 0 ? "search" : "ads", i % 2 == 0 ? "eu" : "us", when, 1000 + 7 * i});
  }
  return all;
}

void post(ApiBench& bench, const std::vector<Used>& all) {
  std::string lines;
  for (const auto& used : all)
    lines += R"({"source":"gateway","id":")" + format_instant(used.at) + R"(","completed_at":")" +
             format_instant(used.at) + R"(","team":")" + used.team + R"(","workload":")" +
             std::to_string(used.tokens) + R"(","provider":"acme","model":"x1","region":")" +
             used.region + R"(","input_uncached":)" + std::to_string(used.tokens) + "}\n";
  REQUIRE(
      bench.ask({Method::post, "/v1/events", lines, {}, {{"content-type", "application/x-ndjson"}}})
          .status == 200);
}

// Of the metrics page, in whole micro-units.
int64_t month_cost(ApiBench& bench, const std::string& team) {
  const auto page = bench.get("/metrics");
  REQUIRE(page.status == 200);
  const auto line = page.body.find("gauger_month_cost{");
  const auto begin = page.body.find("team=\"" + team + "\"", line);
  if (line == page.body.npos || begin == page.body.npos) return -1;
  const auto value = page.body.find("} ", begin) + 2;
  return std::llround(std::stod(page.body.substr(value)) * 1e6);
}

struct Case {
  std::string name;
  std::string entries;
  std::function<int64_t(const Used&)> per_token;  // micro-units
};

bool before(const Used& used, std::string_view instant) { return used.at < at(instant); }
int hour_of(const Used& used) {
  return static_cast<int>(
      std::chrono::floor<std::chrono::hours>(used.at.time_since_epoch()).count() % 24);
}

}  // namespace

TEST_CASE("the running month's cost is exact whatever its prices hang on", "[exporters]") {
  const auto all = usage_of_ten_days();
  const std::string of_x1 = "  - {provider: acme, model: x1, per: unit, ";
  const auto& [name, entries, per_token] = GENERATE_COPY(values<Case>({
      {"one price", of_x1 + "input_uncached: '0.000003'}\n", [](const Used&) { return 3; }},
      {"another one from a midnight",
       of_x1 + "input_uncached: '0.000003', effective_until: 2027-01-09}\n" + of_x1 +
           "input_uncached: '0.000005', effective_from: 2027-01-09}\n",
       [](const Used& used) { return before(used, "2027-01-09T00:00:00Z") ? 3 : 5; }},
      {"another one from a noon",
       of_x1 + "input_uncached: '0.000003', effective_until: '2027-01-09T12:00:00Z'}\n" + of_x1 +
           "input_uncached: '0.000005', effective_from: '2027-01-09T12:00:00Z'}\n",
       [](const Used& used) { return before(used, "2027-01-09T12:00:00Z") ? 3 : 5; }},
      {"cheaper in the morning",
       of_x1 + "input_uncached: '0.000003'}\n" + of_x1 +
           "input_uncached: '0.000001', hours: {from: '06:00', until: '12:00'}}\n",
       [](const Used& used) { return hour_of(used) >= 6 && hour_of(used) < 12 ? 1 : 3; }},
      {"by region",
       of_x1 + "input_uncached: '0.000003'}\n" + of_x1 +
           "input_uncached: '0.000004', region: eu}\n",
       [](const Used& used) { return used.region == "eu" ? 4 : 3; }},
  }));
  INFO(name);
  ApiBench bench;
  post(bench, all);
  const auto book = "kind: price_book\nid: list\nversion: v1\ncurrency: USD\nprices:\n" + entries;
  const auto posted = bench.ask({Method::post,
                                 "/v1/terms/price_book/list",
                                 book,
                                 {},
                                 {{"content-type", "application/yaml"}}});
  INFO(posted.body);
  REQUIRE(posted.status == 201);
  std::map<std::string, int64_t> expected;
  for (const auto& used : all) expected[used.team] += used.tokens * per_token(used);
  for (const auto& [team, micro] : expected) CHECK(month_cost(bench, team) == micro);
}
