// Why: shares of money are fractions, and one that leaves 128 bits must not wrap.
#include "billing/rational.h"

#include "billing/currency.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

TEST_CASE("thirds add up to a whole", "[billing]") {
  const auto third = Rational::ratio(1, 3);
  CHECK_FALSE(third.is_whole());
  CHECK((third + third + third) == Rational(Int128{1}));
  CHECK((third + third + third).is_whole());
  CHECK((third * Rational(Int128{6})) == Rational(Int128{2}));
  CHECK((-third).is_negative());
  CHECK((Rational(Int128{1}) / Rational(Int128{-3})) == -third);
  CHECK(third < Rational::ratio(34, 100));
}

TEST_CASE("numbers beyond 128 bits go on exactly", "[billing]") {
  const Rational huge(Int128{1} << 126);
  const auto product = huge * huge;
  CHECK(product / huge == huge);
  CHECK((huge + huge + huge + huge) - huge == huge + huge + huge);
  CHECK((product - product).is_zero());
}

TEST_CASE("rounding goes to the nearest and ties go to the even neighbour", "[billing]") {
  const auto rounded = [](Int128 n, Int128 d) {
    return Rational::ratio(n, d).rounded(Rounding::half_even);
  };
  CHECK(rounded(1, 2) == 0);
  CHECK(rounded(3, 2) == 2);
  CHECK(rounded(5, 2) == 2);
  CHECK(rounded(-1, 2) == 0);
  CHECK(rounded(-3, 2) == -2);
  CHECK(rounded(-5, 3) == -2);
  CHECK(Rational::ratio(-1, 3).rounded(Rounding::floor) == -1);
  CHECK(Rational::ratio(7, 3).rounded(Rounding::floor) == 2);
}

TEST_CASE("amounts print exactly, fractions as fractions", "[billing]") {
  CHECK(format_amount(Rational(Int128{1'500'000'000'000})) == "1.5");
  CHECK(format_amount(Rational::ratio(1, 2)) == "0.0000000000005");
  CHECK(format_amount(Rational::ratio(Int128{500} * pico_per_unit, 3)) ==
        "166.666666666666 2/3e-12");
  CHECK(format_amount(-Rational::ratio(1, 3)) == "-0.000000000000 1/3e-12");
}

TEST_CASE("minor units follow the currency", "[billing]") {
  const Rational amount(Int128{12'345} * (pico_per_unit / 1000));  // 12.345
  CHECK(Currency::find("USD").value().to_minor(amount, Rounding::half_even) == 1234);
  CHECK(Currency::find("JPY").value().to_minor(amount, Rounding::half_even) == 12);
  CHECK(Currency::find("KWD").value().to_minor(amount, Rounding::half_even) == 12345);
  CHECK(Currency::find("USD").value().format_minor(1234) == "12.34");
  CHECK(Currency::find("JPY").value().format_minor(-12) == "-12");
  for (const auto* code : {"usd", "US", "USDX", "U1D", ""})
    CHECK(Currency::find(code).error().code == ErrorCode::invalid_argument);
}
