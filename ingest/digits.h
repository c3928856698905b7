// Decimal digits eight at a time, without a branch on how many they are. Private to ingest/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gauger::ingest {

namespace detail {

inline constexpr std::array<uint64_t, 8> powers_of_ten = {1,      10,      100,       1'000,
                                                          10'000, 100'000, 1'000'000, 10'000'000};

// The digits at the beginning of eight bytes, and how many they are.
[[gnu::always_inline]] inline size_t digits_of(uint64_t word, uint64_t& value) {
  constexpr uint64_t ones = 0x0101'0101'0101'0101;
  const auto digits = word ^ ones * '0';
  const auto others = (((digits & (ones * 0x7F)) + ones * (0x80 - 10)) | digits) & (ones * 0x80);
  const auto size = others == 0 ? size_t{8} : static_cast<size_t>(__builtin_ctzll(others)) / 8;
  if (size == 0) return 0;
  // Zeros in front, then pairs, fours, and all of them.
  auto sum = digits << (8 * (sizeof word - size));
  sum = (sum * (1 + (10U << 8U)) >> 8U) & 0x00FF'00FF'00FF'00FFU;
  sum = (sum * (1 + (100U << 16U)) >> 16U) & 0x0000'FFFF'0000'FFFFU;
  value = sum * (1 + (uint64_t{10'000} << 32U)) >> 32U;
  return size;
}

}  // namespace detail

// Takes the digits at `at`, of which `readable` bytes may be read; returns how many they are, 0
// where there are none or more than 15.
[[gnu::always_inline]] inline size_t take_digits(const char*& at, size_t readable,
                                                 uint64_t& value) {
  uint64_t word = 0;
  if (readable >= sizeof word) [[likely]]
    std::memcpy(&word, at, sizeof word);
  else
    std::memcpy(&word, at, readable);
  auto size = detail::digits_of(word, value);
  if (size == sizeof word && readable > sizeof word) [[unlikely]] {
    word = 0;
    std::memcpy(&word, at + 8, readable - 8 < sizeof word ? readable - 8 : sizeof word);
    uint64_t more = 0;
    const auto more_size = detail::digits_of(word, more);
    if (more_size == sizeof word) return 0;
    if (more_size != 0) value = value * detail::powers_of_ten[more_size] + more;
    size += more_size;
  }
  at += size;
  return size;
}

}  // namespace gauger::ingest
