// Why: every provider cent must land on somebody, and on one only.
#include "billing/allocation.h"

#include <numeric>

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

const Currency usd = Currency::find("USD").value();

std::vector<Rational> cents(std::initializer_list<Rational> amounts) {
  std::vector<Rational> pico;
  for (const auto& amount : amounts) pico.push_back(amount * Rational(usd.pico_per_minor()));
  return pico;
}

Rational of(Int128 n, Int128 d = 1) { return Rational::ratio(n, d); }

}  // namespace

TEST_CASE("minor units go to the largest remainders", "[billing]") {
  const auto parts = cents({of(33, 10), of(36, 10), of(31, 10)});
  CHECK(apportion(parts, 10, usd) == std::vector<Int128>{3, 4, 3});
  CHECK(apportion(cents({of(1, 2), of(1, 2)}), 1, usd) == std::vector<Int128>{1, 0});
  CHECK(apportion(cents({of(1, 3), of(1, 3), of(1, 3)}), 1, usd) == std::vector<Int128>{1, 0, 0});
}

TEST_CASE("discounts are handed down like charges", "[billing]") {
  CHECK(apportion(cents({of(105, 10), of(-21, 10)}), 8, usd) == std::vector<Int128>{10, -2});
  CHECK(apportion(cents({of(5, 2), of(-5, 2)}), 0, usd) == std::vector<Int128>{3, -3});
}

TEST_CASE("a total divides by weights, evenly where there are none", "[billing]") {
  const std::vector<Rational> weights = {of(1), of(2), of(0)};
  CHECK(allocate(100, weights) == std::vector<Int128>{33, 67, 0});
  CHECK(allocate(-100, weights) == std::vector<Int128>{-33, -67, 0});
  const std::vector<Rational> none(3, of(0));
  CHECK(allocate(100, none) == std::vector<Int128>{34, 33, 33});
  CHECK(allocate(0, weights) == std::vector<Int128>{0, 0, 0});
}

TEST_CASE("totals round half to even, once", "[billing]") {
  CHECK(round_total(Rational(Int128{5'000'000'000}), usd) == 0);
  CHECK(round_total(Rational(Int128{15'000'000'000}), usd) == 2);
  CHECK(round_total(Rational(Int128{5'000'000'001}), usd) == 1);
}
