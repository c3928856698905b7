// Why: a report of a month must show what rating shows, without reading the month by its fine
// grain. How: random events in a real ledger over memory; whatever is asked and however it is
// grouped, the short way must give what grouping all re-attributed fine rows gives.
#include <map>
#include <random>

#include "billing/reattribution.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::billing;
using ledger::Bucket;
using ledger::Dimension;
using ledger::mask_of;
using ledger::testing::at;
using ledger::testing::Bench;
using ledger::testing::usage_event;

namespace {

using Rows = std::map<std::string, std::vector<int64_t>>;

// What is told apart, as text, and the sums; extras by name.
Rows rows_of(const UsageTable& usage, const ledger::UsageQuery& query, const TimeZone& zone) {
  Rows rows;
  for (const auto& row : usage.rows) {
    const auto& key = usage.key(row);
    std::string name;
    if (query.bucket == Bucket::day) name += format_day(zone.local_day(row.period)) + " ";
    if (query.bucket == Bucket::month) name += format_month(zone.local_month(row.period)) + " ";
    for (const auto& [dimension, text] : {std::pair{Dimension::team, key.team},
                                          {Dimension::project, key.project},
                                          {Dimension::workload, key.workload},
                                          {Dimension::model, key.model}})
      if ((query.group & mask_of(dimension)) != 0) name += std::string(usage.text(text)) + "/";
    const auto add = [&](const std::string& to, std::vector<int64_t> sums) {
      auto& into = rows[to];
      into.resize(sums.size());
      for (size_t i = 0; i < sums.size(); ++i) into[i] += sums[i];
    };
    add(name, {row.requests, row.counts[0]});
    for (uint32_t i = 0; i < row.extras_count; ++i) {
      const auto& extra = usage.extras[row.extras_begin + i];
      add(name + "+" + std::string(usage.text(extra.name)), {extra.count});
    }
  }
  std::erase_if(rows, [](const auto& row) {
    return std::ranges::all_of(row.second, [](int64_t sum) { return sum == 0; });
  });
  return rows;
}

bool passes(const UsageTable& usage, const UsageRow& row, const ledger::UsageQuery& query) {
  const auto& key = usage.key(row);
  for (const auto& [dimension, value] : query.filters) {
    const auto id = dimension == Dimension::team      ? key.team
                    : dimension == Dimension::project ? key.project
                                                      : key.model;
    if (usage.text(id) != value) return false;
  }
  return true;
}

void commit_random_events(Bench& bench, uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](const std::vector<std::string_view>& from) {
    return from[random() % from.size()];
  };
  std::vector<std::string> ids(60);
  const std::vector<ExtraCount> extras = {{"calls", 1}, {"pages", 3}};
  std::vector<UsageEvent> events;
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = std::to_string(i);
    auto event = usage_event(ids[i], 1 + static_cast<int64_t>(random() % 1000), 1,
                             pick({"", "", "search", "ads"}));
    event.completed_at = at("2027-01-13T22:00:00Z") + std::chrono::minutes(random() % 3000);
    event.started_at = no_instant;
    event.model = pick({"a", "b"});
    event.project = pick({"", "ranking"});
    event.workload = pick({"answers", "api_key=k1", "api_key=k2 source=gw"});
    if (random() % 2 == 0) event.extras = extras;
    events.push_back(event);
  }
  bench.commit(events);
  bench.flush();
}

ledger::UsageQuery query_of(ledger::DimensionMask group, Bucket bucket,
                            std::vector<ledger::Filter> filters = {}) {
  return {{at("2027-01-01"), at("2027-02-01")}, group, bucket, std::move(filters)};
}

}  // namespace

TEST_CASE("answers under re-attributions are what grouping the moved fine rows gives",
          "[billing]") {
  const std::vector documents = {
      parse_reattribution("kind: reattribution\nid: a\nversion: 1\nrules:\n"
                          "  - {match: {api_key: k1, model: a}, team: search, project: ranking,"
                          " until: 2027-01-15}\n"
                          "  - {match: {source: gw}, team: new, workload_from: model}\n",
                          "a.yaml")
          .value(),
      parse_reattribution("kind: reattribution\nid: b\nversion: 1\nrules:\n"
                          "  - {match: {project: ranking, workload: answers}, team: ads}\n",
                          "b.yaml")
          .value()};
  const auto team = mask_of(Dimension::team);
  const auto model = mask_of(Dimension::model);
  const auto project = mask_of(Dimension::project);
  const auto zone = TimeZone::utc();
  for (uint32_t seed = 0; seed < 10; ++seed) {
    Bench bench;
    commit_random_events(bench, seed);
    for (const auto& query :
         {query_of(team | model, Bucket::none), query_of(0, Bucket::none),
          query_of(team, Bucket::day), query_of(ledger::all_dimensions, Bucket::grain),
          query_of(model, Bucket::month),
          query_of(model, Bucket::none, {{Dimension::team, "search"}}),
          query_of(model, Bucket::day, {{Dimension::team, "unattributed"}}),
          query_of(team, Bucket::none, {{Dimension::project, "ranking"}, {Dimension::model, "a"}}),
          query_of(team | project, Bucket::none, {{Dimension::team, "new"}})}) {
      const auto answer = bench.ledger->usage(query).value();
      const auto unclaimed = bench.ledger->usage(unclaimed_query(query)).value();
      const auto got = reattribute_answer(answer, unclaimed, query, zone, documents);
      REQUIRE(got.has_value());
      auto fine = query;
      fine.group = ledger::all_dimensions;
      fine.bucket = Bucket::grain;
      fine.filters.clear();
      auto moved = reattribute(bench.ledger->usage(fine).value(), documents).value();
      std::erase_if(moved.rows, [&](const UsageRow& row) { return !passes(moved, row, query); });
      INFO("seed " << seed << ", group " << query.group);
      CHECK(rows_of(got.value(), query, zone) == rows_of(moved, query, zone));
    }
  }
}
