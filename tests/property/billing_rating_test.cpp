// Properties of rating and allocation that hold for any usage and any weights.
#include <rapidcheck.h>

#include <numeric>

#include "billing/allocation.h"
#include "billing/contracts/allocation_document.h"
#include "billing/rate.h"
#include "billing/rerating.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book() {
  return parse_price_book(R"(kind: price_book
id: list
version: v1
currency: USD
prices:
  - provider: p
    model: m
    per: million
    input_uncached: 5
    cache_read: 0.50
    output_text: 25
    context_above: {200000: {input_uncached: 10, cache_read: 1, output_text: 37.50}}
  - {provider: p, model: m, hours: {from: "16:30", until: "00:30"}, per: million, input_uncached: 3, cache_read: 0.30, output_text: 15}
  - {provider: p, model: h, per: hour, compute_us: 2.40}
)",
                          "b.yaml")
      .value();
}

UsageTable empty_table() {
  UsageTable usage;
  usage.context_boundaries = {200'000};
  usage.grain = std::chrono::minutes{15};
  usage.strings = {"", "p", "m", "h", "t0", "t1", "t2"};
  for (uint32_t team = 0; team < 4; ++team)
    for (uint32_t model = 2; model < 4; ++model)
      for (ContextTier tier = 0; tier < 2; ++tier) {
        UsageKey key;
        key.team = {team == 0 ? 0 : team + 3};
        key.provider = {1};
        key.model = {model};
        key.context_tier = tier;
        usage.keys.push_back(key);
      }
  return usage;
}

// Rows of some weeks from `begin`.
std::vector<UsageRow> rows(Instant begin, int days) {
  const auto count = *rc::gen::inRange(1, 60);
  std::vector<UsageRow> all;
  for (int i = 0; i < count; ++i) {
    UsageRow row;
    row.period = begin + std::chrono::minutes{15} * *rc::gen::inRange(0, days * 96);
    row.key = *rc::gen::inRange<uint32_t>(0, 16);
    row.requests = *rc::gen::inRange(1, 5);
    for (const auto meter : {Meter::input_uncached, Meter::cache_read, Meter::output_text})
      row.counts[static_cast<size_t>(meter)] = *rc::gen::inRange<int64_t>(0, 3'000'000);
    row.counts[static_cast<size_t>(Meter::compute_us)] = *rc::gen::inRange<int64_t>(1, 1'000'000);
    all.push_back(row);
  }
  return all;
}

const Instant new_year = parse_instant("2027-01-01").value();

}  // namespace

TEST_CASE("rating adds up over any split of the usage", "[billing]") {
  const auto prices = book();
  CHECK(rc::check([&] {
    auto whole = empty_table();
    whole.rows = rows(new_year, 60);
    auto left = empty_table();
    auto right = empty_table();
    for (const auto& row : whole.rows) {
      // A row may be split too: its counts are sums.
      auto part = row;
      auto rest = row;
      for (size_t i = 0; i < meter_count; ++i) {
        part.counts[i] = *rc::gen::inRange<int64_t>(0, row.counts[i] + 1);
        rest.counts[i] -= part.counts[i];
      }
      left.rows.push_back(part);
      right.rows.push_back(rest);
    }
    const auto a = rate(left, prices).value().total();
    const auto b = rate(right, prices).value().total();
    RC_ASSERT(a + b == rate(whole, prices).value().total());
  }));
}

TEST_CASE("the order of rows changes nothing", "[billing]") {
  const auto prices = book();
  CHECK(rc::check([&] {
    auto usage = empty_table();
    usage.rows = rows(new_year, 60);
    const auto forwards = lines_of(rate(usage, prices).value());
    std::reverse(usage.rows.begin(), usage.rows.end());
    RC_ASSERT(diff_lines(forwards, lines_of(rate(usage, prices).value())).empty());
  }));
}

TEST_CASE("minor units add up for any amounts and any weights", "[billing]") {
  const auto usd = Currency::find("USD").value();
  CHECK(rc::check([&] {
    const auto count = *rc::gen::inRange(1, 40);
    std::vector<Rational> amounts;
    std::vector<Rational> weights;
    Rational sum;
    for (int i = 0; i < count; ++i) {
      const auto numerator = *rc::gen::inRange<int64_t>(-100'000'000'000, 900'000'000'000);
      const auto denominator = *rc::gen::inRange<int64_t>(1, 50);
      amounts.push_back(Rational::ratio(numerator, denominator));
      sum += amounts.back();
      weights.push_back(Rational::ratio(*rc::gen::inRange<int64_t>(0, 1'000), denominator));
    }
    const auto total = round_total(sum, usd);
    const auto parts = apportion(amounts, total, usd);
    RC_ASSERT(std::accumulate(parts.begin(), parts.end(), Int128{0}) == total);
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto error = amounts[i] - Rational(usd.from_minor(parts[i]));
      RC_ASSERT(error < Rational(usd.pico_per_minor()));
      RC_ASSERT(-error < Rational(usd.pico_per_minor()));
    }
    const Int128 any = *rc::gen::inRange<int64_t>(-1'000'000, 1'000'000);
    const auto shares = allocate(any, weights);
    RC_ASSERT(std::accumulate(shares.begin(), shares.end(), Int128{0}) == any);
  }));
}

// All with daylight saving, or off the hour.
TEST_CASE("periods, days and months add up in 24 time zones", "[billing]") {
  const auto prices = book();
  const auto begin = parse_instant("2027-02-20").value();
  for (const auto* name : {"UTC",
                           "Europe/Berlin",
                           "Europe/London",
                           "Europe/Lisbon",
                           "Europe/Helsinki",
                           "Europe/Chisinau",
                           "America/New_York",
                           "America/Chicago",
                           "America/Denver",
                           "America/Los_Angeles",
                           "America/Anchorage",
                           "America/St_Johns",
                           "America/Havana",
                           "America/Santiago",
                           "Africa/Casablanca",
                           "Africa/Cairo",
                           "Asia/Jerusalem",
                           "Asia/Beirut",
                           "Asia/Kathmandu",
                           "Asia/Kolkata",
                           "Australia/Adelaide",
                           "Australia/Lord_Howe",
                           "Pacific/Auckland",
                           "Pacific/Chatham"}) {
    const auto zone = TimeZone::find(name).value();
    INFO(name);
    CHECK(rc::check([&] {
      auto usage = empty_table();
      usage.rows = rows(begin, 60);
      const auto by = [&](Grouping grouping) {
        std::map<int32_t, Rational> months;
        const auto rated = rate(usage, prices, {.zone = zone, .grouping = grouping}).value();
        for (const auto& charge : rated.charges)
          months[zone.local_month(charge.from)] += charge.amount;
        return months;
      };
      const auto months = by(Grouping::month);
      RC_ASSERT(months == by(Grouping::day));
      RC_ASSERT(months == by(Grouping::period));
    }));
  }
}

TEST_CASE("late usage leaves no cent over, and posting twice posts nothing", "[billing]") {
  const auto contract =
      parse_contract(
          "kind: contract\nid: c\nversion: 1\nprovider: p\ncurrency: USD\nbegins: 2027-01-01\n"
          "ends: 2028-01-01\nregimes: [{from: 2027-01-01, tokens: {price_book: list, discounts: "
          "[{percent: 7.5, above: 100}]}}]\n",
          "c.yaml")
          .value();
  PriceBooks books;
  books.emplace("list", book());
  const auto january = parse_month("2027-01").value();
  CHECK(rc::check([&] {
    const auto rated = [&](const UsageTable& usage) {
      return rate_contract(usage, {.contract = contract, .books = books}, january).value();
    };
    auto usage = empty_table();
    usage.rows = rows(new_year, 31);
    const auto closed = allocate_month(rated(usage), contract.zone);
    Int128 teams = 0;
    for (const auto& team : closed.teams) teams += team.total_minor;
    RC_ASSERT(teams == closed.total_minor);
    const auto more = rows(new_year, 31);
    usage.rows.insert(usage.rows.end(), more.begin(), more.end());
    const auto now = rated(usage);
    const auto late = late_charges(closed, {}, now);
    Int128 sum = closed.total_minor;
    for (const auto& charge : late) sum += charge.amount_minor;
    RC_ASSERT(sum == now.total_minor);
    RC_ASSERT(late_charges(closed, late, now).empty());
  }));
}
