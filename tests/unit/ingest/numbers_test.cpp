// Why: a time that is misread puts usage into another month. How: every character of a time
// changed to every other, and read again character by character.
#include "ingest/numbers.h"

#include <regex>

#include "schemas/usage_event.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

// RFC 3339 as the header says it, by a pattern and the calendar.
Instant read_slowly(const std::string& text) {
  static const std::regex pattern(
      R"((\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|([+-])(\d\d):(\d\d)))");
  std::smatch parts;
  if (!std::regex_match(text, parts, pattern)) return no_instant;
  const auto number = [&](size_t part) { return std::stoi(parts[part].str()); };
  using namespace std::chrono;
  const year_month_day date{year{number(1)}, month{static_cast<unsigned>(number(2))},
                            day{static_cast<unsigned>(number(3))}};
  if (number(1) == 0 || !date.ok() || number(4) > 23 || number(5) > 59 || number(6) > 59)
    return no_instant;
  auto instant =
      Instant{sys_days{date}} + hours{number(4)} + minutes{number(5)} + seconds{number(6)};
  if (parts[7].matched)
    instant += microseconds{std::stoi((parts[7].str().substr(1) + "00000").substr(0, 6))};
  if (parts[9].matched) {
    if (number(10) > 23 || number(11) > 59) return no_instant;
    const auto east = hours{number(10)} + minutes{number(11)};
    instant -= parts[9].str() == "-" ? -east : east;
  }
  const auto first = Instant{sys_days{year{1} / 1 / 1}};
  const auto end = Instant{sys_days{year{10'000} / 1 / 1}};
  return instant < first || instant >= end ? no_instant : instant;
}

}  // namespace

TEST_CASE("a time with any character changed is read as its characters say", "[ingest]") {
  size_t times = 0;
  for (const std::string text :
       {"2027-01-16T00:00:00Z", "2024-02-29T23:59:59.123456Z", "1999-12-31T19:08:57.5+01:30",
        "0001-01-01T00:30:00.123-00:30", "9999-12-31T23:30:00.999999999+23:59",
        "2027-11-30T10:20:30.000001Z"}) {
    REQUIRE(read_slowly(text) != no_instant);
    for (size_t size = 0; size <= text.size(); ++size)
      CHECK(parse_timestamp(text.substr(0, size)) == read_slowly(text.substr(0, size)));
    for (size_t at = 0; at < text.size(); ++at)
      for (int character = 0; character < 256; ++character) {
        auto changed = text;
        changed[at] = static_cast<char>(character);
        CAPTURE(changed);
        const auto expected = read_slowly(changed);
        times += expected != no_instant;
        REQUIRE(parse_timestamp(changed) == expected);
        changed.insert(at, 1, text[at]);
        REQUIRE(parse_timestamp(changed) == read_slowly(changed));
      }
  }
  CHECK(times > 500);
}
