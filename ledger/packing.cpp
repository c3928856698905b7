#include "ledger/packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "ledger/bytes.h"

namespace gauger::ledger {
namespace {

constexpr size_t uuid_text_bytes = 36;
constexpr size_t uuid_bytes = 16;

// Where the 32 digits stand in the text, in pairs.
constexpr std::array<uint8_t, uuid_bytes> digit_at = {0,  2,  4,  6,  9,  11, 14, 16,
                                                      19, 21, 24, 26, 28, 30, 32, 34};
// The same in fours, two of which make a word.
constexpr std::array<uint8_t, 8> four_at = {0, 4, 9, 14, 19, 24, 28, 32};

// Every byte of a word at once.
constexpr uint64_t each(uint8_t byte) { return byte * uint64_t{0x0101'0101'0101'0101U}; }

// Eight lower-case hexadecimal digits as four bytes. `wrong` gets bits where there are others.
uint32_t pack_digits(uint64_t digits, uint64_t& wrong) {
  const auto values = (digits & each(0x0F)) + (digits >> 6U & each(1)) * 9;
  const auto is_letter = (values + each(6)) >> 4U & each(1);
  wrong |= (values + each('0') + is_letter * ('a' - 10 - '0')) ^ digits;
  wrong |= values & each(0xF0);
  // The first digit of two is the upper half of its byte.
  auto packed = (values << 4U | values >> 8U) & 0x00FF'00FF'00FF'00FFU;
  packed = (packed | packed >> 8U) & 0x0000'FFFF'0000'FFFFU;
  return static_cast<uint32_t>(packed | packed >> 16U);
}

}  // namespace

void pack_bits(std::string& out, std::span<const uint32_t> values) {
  uint32_t largest = 0;
  for (const auto value : values) largest |= value;
  const auto width = static_cast<unsigned>(std::bit_width(largest));
  put(out, static_cast<uint8_t>(width));
  const auto bytes = (values.size() * width + 7) / 8;
  const auto begin = out.size();
  out.resize(begin + bytes + 8);  // the tail is written in whole words, then cut off
  auto* at = out.data() + begin;
  uint64_t word = 0;
  unsigned filled = 0;
  for (const auto value : values) {
    word |= uint64_t{value} << filled;
    filled += width;
    if (filled >= 32) {
      std::memcpy(at, &word, 4);
      at += 4;
      word >>= 32;
      filled -= 32;
    }
  }
  std::memcpy(at, &word, 8);
  out.resize(begin + bytes);
}

std::optional<std::vector<uint32_t>> unpack_bits(std::string_view bytes, size_t count) {
  std::vector<uint32_t> values(count);
  ByteReader reader(bytes);
  if (!take_bits(reader, values) || !reader.complete()) return std::nullopt;
  return values;
}

bool take_bits(ByteReader& reader, std::span<uint32_t> values) {
  const auto width = reader.get<uint8_t>();
  const auto bytes = reader.take((values.size() * width + 7) / 8);
  if (width > 32 || reader.bad()) return false;
  const uint64_t mask = (uint64_t{1} << width) - 1;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto bit = i * width;
    uint64_t word = 0;
    const auto left = bytes.size() - std::min(bytes.size(), bit / 8);
    if (left >= 8) [[likely]]
      std::memcpy(&word, bytes.data() + bit / 8, 8);
    else if (left != 0)
      std::memcpy(&word, bytes.data() + bit / 8, left);
    values[i] = static_cast<uint32_t>(word >> (bit % 8) & mask);
  }
  return true;
}

bool pack_uuid(char* out, std::string_view text) {
  if (text.size() != uuid_text_bytes || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
      text[23] != '-')
    return false;
  const auto four = [&](size_t i) {
    uint32_t digits = 0;
    std::memcpy(&digits, text.data() + four_at[i], sizeof digits);
    return digits;
  };
  std::array<uint32_t, uuid_bytes / sizeof(uint32_t)> packed{};
  uint64_t wrong = 0;
  for (size_t i = 0; i < packed.size(); ++i)
    packed[i] = pack_digits(uint64_t{four(2 * i + 1)} << 32U | four(2 * i), wrong);
  if (wrong != 0) return false;
  std::memcpy(out, packed.data(), uuid_bytes);
  return true;
}

void unpack_uuid(std::string& out, std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::array<char, uuid_text_bytes> text{};
  text[8] = text[13] = text[18] = text[23] = '-';
  for (size_t i = 0; i < uuid_bytes; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    text[digit_at[i]] = digits[byte >> 4];
    text[digit_at[i] + 1U] = digits[byte & 15];
  }
  out.append(text.data(), text.size());
}

}  // namespace gauger::ledger
