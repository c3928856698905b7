// Why: rollups are what everybody reads. How: folding and merging against sums made the slow
// way, and the stored form against itself.
#include "ledger/rollup_codec.h"

#include <map>
#include <random>

#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

Change some_change(uint64_t sequence, uint32_t seed) {
  std::vector<Cell> cells;
  for (uint32_t i = 0; i < 50; ++i) {
    Cell cell{place_of(1000 + i % 5 * seed, i / 5), 1, {}};
    cell.counts[i % meter_count] = int64_t{i} * seed;
    cells.push_back(cell);
  }
  std::sort(cells.begin(), cells.end(),
            [](const Cell& a, const Cell& b) { return a.place < b.place; });
  return {sequence, sequence, Cells(cells), {{cells[0].place, StringId{4}, 9}}};
}

}  // namespace

TEST_CASE("a change survives its stored form, and a damaged one is noticed", "[ledger]") {
  const auto change = some_change(3, 2);
  const auto bytes = encode_rollup(change);
  CHECK(decode_rollup(bytes).value() == change);
  for (size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK_FALSE(decode_rollup(damaged).has_value());
  }
}

TEST_CASE("merging does not depend on how changes are grouped, and zeros vanish", "[ledger]") {
  const auto a = some_change(1, 1);
  const auto b = some_change(2, 2);
  auto minus_a = a;
  auto cells = a.cells.whole();
  for (auto& cell : cells) {
    cell.requests = -cell.requests;
    for (auto& count : cell.counts) count = -count;
  }
  minus_a.cells = Cells(cells);
  for (auto& extra : minus_a.extras) extra.count = -extra.count;
  const Change* ab[] = {&a, &b};
  const auto left = merge(ab);
  const Change* ba[] = {&b, &a};
  CHECK(merge(ba) == left);
  const Change* back[] = {&left, &minus_a};
  CHECK(merge(back).cells == b.cells);
  const Change* nothing[] = {&a, &minus_a};
  CHECK(merge(nothing).cells.empty());
  CHECK(merge(nothing).extras.empty());
}

TEST_CASE("merging is adding up by place, late and crowded and ages apart", "[ledger]") {
  // One long change, short ones that fall between its cells, and two that overlap wholly.
  const std::vector<size_t> sizes = {4'000, 12, 1, 700, 650, 0};
  std::mt19937_64 random(3);
  const auto periods = GENERATE(1u, 40u, UINT32_MAX);
  CAPTURE(periods);
  std::vector<Change> changes;
  std::map<Place, Cell> expected;
  for (const auto size : sizes) {
    std::map<Place, Cell> cells;
    for (size_t i = 0; i < size; ++i) {
      const auto place = place_of(static_cast<uint32_t>(random() % periods),
                                  static_cast<uint32_t>(random() % 3'000'000));
      cells[place] = {place, 1 + static_cast<int64_t>(random() % 3), {}};
      cells[place].counts[random() % meter_count] = static_cast<int64_t>(random() % 1'000'000);
    }
    Change change;
    for (const auto& [place, cell] : cells) {
      change.cells.push_back(cell);
      auto& sum = expected.try_emplace(place, Cell{place, 0, {}}).first->second;
      sum.requests += cell.requests;
      for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += cell.counts[i];
    }
    changes.push_back(std::move(change));
  }
  std::vector<const Change*> all;
  for (const auto& change : changes) all.push_back(&change);
  std::vector<Cell> summed;
  for (const auto& [place, cell] : expected) summed.push_back(cell);
  CHECK(merge(all).cells == Cells(summed));
}

TEST_CASE("late cells are woven into many, also where those have one", "[ledger]") {
  std::mt19937_64 random(7);
  std::map<Place, Sum> expected;
  std::vector<Change> changes;
  // Each of one period: two thousand keys, then twice a hundred of them and of others.
  for (const auto& [size, step] : {std::pair{2'000u, 2u}, {100u, 41u}, {100u, 37u}}) {
    Change change{1, 1, {}, {}};
    for (uint32_t i = 0; i < size; ++i) {
      Cell cell{place_of(9, i * step), step == 2 ? 1 : -1, {}};
      cell.counts[3] = static_cast<int64_t>(random() % 2);
      change.cells.push_back(cell);
      expected[cell.place].add({cell.requests, cell.counts});
    }
    changes.push_back(std::move(change));
  }
  Cells summed;
  for (const auto& [place, sum] : expected)
    if (!sum.is_zero()) summed.push_back(place, sum);
  CHECK(summed.size() < expected.size());
  const Change* all[] = {&changes[1], &changes[0], &changes[2]};
  CHECK(merge(all).cells == summed);
}

TEST_CASE("segments merge into what merging their changes gives", "[ledger]") {
  const auto seed = GENERATE(1u, 2u, 3u);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<Change> changes;
  for (uint64_t sequence = 1; sequence <= 6; ++sequence) {
    std::map<Place, Cell> cells;
    Change change{sequence, sequence, {}, {}};
    for (uint64_t i = 0; i < 500 * (sequence % 3); ++i) {
      const auto place =
          place_of(static_cast<uint32_t>(random() % 4), static_cast<uint32_t>(random() % 400));
      // Small ones, so that sums often come to nothing.
      Cell cell{place, static_cast<int64_t>(random() % 3) - 1, {}};
      cell.counts[random() % 2] = static_cast<int64_t>(random() % 3) - 1;
      cell.counts[meter_count - 1] = random() % 50 == 0 ? INT64_MAX / 8 : 0;
      if (cell != Cell{place, 0, {}}) cells[place] = cell;
      change.extras.push_back({place, StringId{static_cast<uint32_t>(random() % 3)},
                               static_cast<int64_t>(random() % 3) - 1});
    }
    for (const auto& [place, cell] : cells) change.cells.push_back(cell);
    sum_extras(change.extras);
    changes.push_back(std::move(change));
  }
  std::vector<const Change*> all;
  std::vector<RollupReader> parts;
  for (const auto& change : changes) {
    all.push_back(&change);
    parts.push_back(RollupReader::open(encode_rollup(change)).value());
  }
  RollupWriter writer;
  const auto merged = merge_rollups(parts, writer).value();
  CHECK(decode_rollup(merged).value() == merge(all));
  // The writer begins anew.
  std::vector<RollupReader> again;
  again.push_back(RollupReader::open(merged).value());
  CHECK(merge_rollups(again, writer).value() == merged);
}

TEST_CASE("a change is cut into segments where UTC days begin", "[ledger]") {
  const auto grain = GENERATE(std::chrono::minutes{30}, std::chrono::minutes{7});
  CAPTURE(grain.count());
  Change change{1, 2, {}, {}};
  for (uint32_t period = 0; period < 1'000; period += 3)
    change.cells.push_back(Cell{place_of(period, period % 5), 1, {}});
  change.extras = {{place_of(1, 4), StringId{4}, 9}, {place_of(999, 1), StringId{4}, 8}};
  RollupWriter writer;
  std::vector<Change> parts;
  each_day_segment(change, grain, writer, [&](uint32_t day, std::string segment) {
    parts.push_back(decode_rollup(segment).value());
    for (const auto cell : parts.back().cells)
      CHECK(utc_day_of(period_of(cell.place), grain) == day);
    for (const auto& extra : parts.back().extras)
      CHECK(utc_day_of(period_of(extra.place), grain) == day);
  });
  std::vector<const Change*> all;
  for (const auto& part : parts) all.push_back(&part);
  CHECK(parts.size() == utc_day_of(999, grain) + 1);
  CHECK(merge(all) == change);
}

TEST_CASE("usage answers by any part of the key, by time, and by filters", "[ledger]") {
  Bench bench;
  std::vector<UsageEvent> events;
  std::vector<std::string> ids;
  for (int i = 0; i < 300; ++i) ids.push_back("id-" + std::to_string(i));
  for (size_t i = 0; i < 300; ++i) {
    auto event = usage_event(ids[i], static_cast<int64_t>(i), 1, i % 3 == 0 ? "search" : "ads");
    event.model = i % 2 == 0 ? "opus" : "haiku";
    event.project = i % 5 == 0 ? "p1" : "p2";
    event.completed_at = at("2027-01-10T00:00:00Z") + std::chrono::minutes{i * 17};
    event.started_at = no_instant;
    events.push_back(event);
  }
  bench.commit(events);
  bench.flush();
  const auto ask = [&](DimensionMask group, Bucket bucket, std::vector<Filter> filters) {
    UsageQuery query{{at("2027-01-10"), at("2027-01-13")}, group, bucket, std::move(filters)};
    return bench.ledger->usage(query).value();
  };
  const auto total = [](const UsageTable& table) {
    int64_t sum = 0;
    for (const auto& row : table.rows) sum += row.counts[0];
    return sum;
  };
  int64_t expected = 0;
  int64_t expected_ads_p1 = 0;
  for (int64_t i = 0; i * 17 < 3 * 24 * 60; ++i) {
    expected += i;
    if (i % 3 != 0 && i % 5 == 0) expected_ads_p1 += i;
  }
  // The same sums from day sums, from fine cells, and in every bucket.
  for (const auto bucket :
       {Bucket::none, Bucket::day, Bucket::month, Bucket::hour, Bucket::grain}) {
    CHECK(total(ask(0, bucket, {})) == expected);
    CHECK(total(ask(all_dimensions, bucket, {})) == expected);
    CHECK(total(ask(mask_of(Dimension::model), bucket,
                    {{Dimension::team, "ads"}, {Dimension::project, "p1"}})) == expected_ads_p1);
  }
  CHECK(ask(mask_of(Dimension::team), Bucket::day, {}).rows.size() == 6);
  CHECK(ask(0, Bucket::none, {{Dimension::team, "nobody"}}).rows.empty());
  UsageQuery bad{
      {at("2027-01-10"), at("2027-01-13")}, 0, Bucket::none, {{Dimension::service_tier, "gold"}}};
  CHECK(bench.ledger->usage(bad).error().code == ErrorCode::invalid_argument);
  UsageQuery off_grain{{at("2027-01-10T00:10:00Z"), at("2027-01-13")}, 0, Bucket::none, {}};
  CHECK(bench.ledger->usage(off_grain).error().code == ErrorCode::invalid_argument);
}
