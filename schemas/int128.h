// 128-bit signed integer for money, always checked. GCC and Clang provide __int128; ISO
// C++ does not, hence the __extension__. Arithmetic goes through the checked helpers:
// a wrapped amount would be a wrong bill.
#pragma once

#include <string>

#include "schemas/verify.h"

namespace gauger {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

// True when the result fits; `out` is written only then.
constexpr bool add_fits(Int128 a, Int128 b, Int128& out) {
  Int128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  out = sum;
  return true;
}
constexpr bool multiply_fits(Int128 a, Int128 b, Int128& out) {
  Int128 product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  out = product;
  return true;
}

constexpr Int128 checked_add(Int128 a, Int128 b) {
  Int128 sum = 0;
  VERIFY(add_fits(a, b, sum), "128-bit addition overflows");
  return sum;
}
constexpr Int128 checked_subtract(Int128 a, Int128 b) {
  Int128 difference = 0;
  VERIFY(!__builtin_sub_overflow(a, b, &difference), "128-bit subtraction overflows");
  return difference;
}
constexpr Int128 checked_multiply(Int128 a, Int128 b) {
  Int128 product = 0;
  VERIFY(multiply_fits(a, b, product), "128-bit multiplication overflows");
  return product;
}

// Decimal digits with a leading minus where negative.
std::string to_string(Int128 value);

}  // namespace gauger
