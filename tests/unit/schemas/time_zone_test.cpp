// Why: a day of 23 or 25 hours, and a month that begins off the UTC hour, move invoices.
#include "schemas/time_zone.h"

#include "tests/catch.h"

using namespace gauger;

namespace {
Instant at(std::string_view text) { return parse_instant(text).value(); }
}  // namespace

TEST_CASE("times of RFC 3339 survive a round trip", "[schemas]") {
  for (const auto* text : {"2027-01-16T00:00:00Z", "1969-12-31T23:59:59.5Z", "0001-01-01T00:00:00Z",
                           "9999-12-31T23:59:59.999999Z", "2028-02-29T12:30:00.000001Z"})
    CHECK(format_instant(at(text)) == text);
  CHECK(at("2027-01-16") == at("2027-01-16T00:00:00Z"));
  CHECK(at("2027-01-16T01:30:00+01:30") == at("2027-01-16"));
  CHECK(at("2023-11-16T18:17:03.9799600Z") == at("2023-11-16T18:17:03.97996Z"));
}

TEST_CASE("times that do not exist are refused", "[schemas]") {
  for (const auto* text : {"", "2027-02-29", "2027-13-01", "2027-01-16T24:00:00Z",
                           "2027-01-16T00:00:00", "2027-01-16T00:00:60Z", "2027-1-16", "0000-01-01",
                           "2027-01-16T00:00:00.Z", "2027-01-16T00:00:00Zx"})
    CHECK_FALSE(parse_instant(text).has_value());
}

TEST_CASE("local days are 23 and 25 hours long when the clocks change", "[schemas]") {
  const auto berlin = TimeZone::find("Europe/Berlin").value();
  const auto spring = berlin.local_day(at("2027-03-28T12:00:00Z"));
  CHECK(berlin.day_begin(spring) == at("2027-03-27T23:00:00Z"));
  CHECK(berlin.day_begin(spring + 1) == at("2027-03-28T22:00:00Z"));
  const auto autumn = berlin.local_day(at("2027-10-31T12:00:00Z"));
  CHECK(berlin.day_begin(autumn + 1) - berlin.day_begin(autumn) == std::chrono::hours{25});
}

TEST_CASE("months begin at local midnight", "[schemas]") {
  const auto nepal = TimeZone::find("Asia/Kathmandu").value();
  const auto january = parse_month("2027-01").value();
  CHECK(nepal.month_begin(january) == at("2026-12-31T18:15:00Z"));
  CHECK(nepal.local_month(at("2026-12-31T18:15:00Z")) == january);
  CHECK(nepal.local_month(at("2026-12-31T18:14:59Z")) == january - 1);
  CHECK(format_month(january) == "2027-01");
  CHECK(format_month(-1) == "1969-12");
  CHECK_FALSE(parse_month("2027-1").has_value());
  CHECK_FALSE(TimeZone::find("Mars/Olympus").has_value());
}
