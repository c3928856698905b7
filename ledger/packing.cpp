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

constexpr std::array<int8_t, 256> make_digit_values() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = static_cast<int8_t>(i);
  for (int i = 0; i < 6; ++i) values[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
  return values;
}
constexpr auto digit_values = make_digit_values();

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

bool pack_uuid(std::string& out, std::string_view text) {
  if (text.size() != uuid_text_bytes || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
      text[23] != '-')
    return false;
  std::array<char, uuid_bytes> packed{};
  int bad = 0;
  for (size_t i = 0; i < uuid_bytes; ++i) {
    const int high = digit_values[static_cast<uint8_t>(text[digit_at[i]])];
    const int low = digit_values[static_cast<uint8_t>(text[digit_at[i] + 1U])];
    bad |= high | low;
    packed[i] = static_cast<char>(high * 16 + low);
  }
  if (bad < 0) return false;
  out.append(packed.data(), packed.size());
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
