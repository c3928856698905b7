// Why: every price and amount passes through these two functions.
#include "schemas/money.h"

#include "tests/catch.h"

using namespace gauger;

TEST_CASE("decimals are read exactly, whatever their notation", "[schemas]") {
  CHECK(parse_decimal("3").value() == Int128{3} * pico_per_unit);
  CHECK(parse_decimal("0.000003").value() == 3'000'000);
  CHECK(parse_decimal("4.5e-07").value() == 450'000);
  CHECK(parse_decimal("1.5E2").value() == Int128{150} * pico_per_unit);
  CHECK(parse_decimal("-1.25", 2).value() == -125);
  CHECK(parse_decimal("0.1000000000000000", 1).value() == 1);
  CHECK(parse_decimal("0e9").value() == 0);
  CHECK(parse_decimal(".5", 1).value() == 5);
}

TEST_CASE("decimals that cannot be meant are refused", "[schemas]") {
  for (const auto* text : {"", "-", ".", "1.2.3", "1e", "1e+", "0x1", "1,5", "NaN", " 1", "1 "})
    CHECK(parse_decimal(text).error().code == ErrorCode::invalid_argument);
  CHECK(parse_decimal("0.0000000000001").error().code == ErrorCode::invalid_argument);
  CHECK(parse_decimal("1e60").error().code == ErrorCode::overflow);
  CHECK(parse_decimal("170141183460469231731687303715884105728", 0).error().code ==
        ErrorCode::overflow);
}

TEST_CASE("amounts print without losing a digit", "[schemas]") {
  CHECK(format_decimal(3'000'000) == "0.000003");
  CHECK(format_decimal(Int128{3} * pico_per_unit, money_digits, 2) == "3.00");
  CHECK(format_decimal(-125, 2) == "-1.25");
  CHECK(format_decimal(0) == "0");
  CHECK(format_decimal(-5, 0) == "-5");
}
