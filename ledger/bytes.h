// Writing and reading the ledger's byte layouts: little-endian integers and LEB128 varints.
// A ByteReader never reads past its end: it turns bad() and yields zeros instead, so that a
// codec checks once, after a whole structure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace gauger::ledger {

static_assert(std::endian::native == std::endian::little, "layouts are written as they lie");

template <class T>
void put(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

// Keys are compared as bytes, so their integers are big-endian.
inline void put_key_u64(std::string& out, uint64_t value) { put(out, __builtin_bswap64(value)); }
inline void put_key_u32(std::string& out, uint32_t value) { put(out, __builtin_bswap32(value)); }

inline constexpr size_t varint_bytes_max = 10;

// Seven bits of each byte, the first ones lowest: a varint of up to eight bytes, and back. Without
// branches, as lengths are hard to foresee.
constexpr uint64_t spread_sevens(uint64_t value) {
  value = (value & 0x0FFF'FFFFU) | (value & 0x00FF'FFFF'F000'0000U) << 4;
  value = (value & 0x0000'3FFF'0000'3FFFU) | (value & 0x0FFF'C000'0FFF'C000U) << 2;
  return (value & 0x007F'007F'007F'007FU) | (value & 0x3F80'3F80'3F80'3F80U) << 1;
}
constexpr uint64_t gather_sevens(uint64_t bytes) {
  bytes = (bytes & 0x007F'007F'007F'007FU) | (bytes & 0x7F00'7F00'7F00'7F00U) >> 1;
  bytes = (bytes & 0x0000'3FFF'0000'3FFFU) | (bytes & 0x3FFF'0000'3FFF'0000U) >> 2;
  return (bytes & 0x0FFF'FFFFU) | (bytes & 0x0FFF'FFFF'0000'0000U) >> 4;
}
inline constexpr uint64_t varint_marks = 0x8080'8080'8080'8080U;  // more follows

// Writes into memory that has varint_bytes_max bytes left, all of which may change; returns the
// end.
inline char* write_varint(char* at, uint64_t value) {
  if (value >> 56 == 0) [[likely]] {
    const auto bits = static_cast<unsigned>(std::bit_width(value | 1));
    const auto size = (bits + 6) * 37 >> 8;  // by seven, up to 62
    const auto bytes =
        spread_sevens(value) | (varint_marks & ((uint64_t{1} << (8 * size - 8)) - 1));
    std::memcpy(at, &bytes, sizeof bytes);
    return at + size;
  }
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

inline void put_varint(std::string& out, uint64_t value) {
  char bytes[varint_bytes_max];
  out.append(bytes, static_cast<size_t>(write_varint(bytes, value) - bytes));
}

// Memory to write into, of which only what is written is touched. Its size is a bound, which
// whoever writes keeps.
class WriteBuffer {
 public:
  explicit WriteBuffer(size_t bytes_max)
      : bytes_(std::make_unique_for_overwrite<char[]>(bytes_max)) {}
  char* begin() { return bytes_.get(); }
  std::string_view until(const char* end) const {
    return {bytes_.get(), static_cast<size_t>(end - bytes_.get())};
  }

 private:
  std::unique_ptr<char[]> bytes_;
};

constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool bad() const { return bad_; }
  bool at_end() const { return at_ == end_; }
  // Everything was read and nothing was missing.
  bool complete() const { return !bad_ && at_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    if (left() < sizeof(T)) return fail(value);
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  uint64_t get_key_u64() { return __builtin_bswap64(get<uint64_t>()); }
  uint32_t get_key_u32() { return __builtin_bswap32(get<uint32_t>()); }

  uint64_t varint() {
    if (left() >= sizeof(uint64_t)) [[likely]] {
      uint64_t bytes = 0;
      std::memcpy(&bytes, at_, sizeof bytes);
      if (const auto ends = ~bytes & varint_marks; ends != 0) [[likely]] {
        const auto last = static_cast<unsigned>(std::countr_zero(ends));  // its mark
        at_ += last / 8 + 1;
        return gather_sevens(bytes & ((uint64_t{2} << last) - 1));
      }
    }
    return long_varint();
  }
  int64_t signed_varint() { return unzigzag(varint()); }

  std::string_view take(size_t size) {
    if (left() < size) return fail(std::string_view());
    const std::string_view taken(at_, size);
    at_ += size;
    return taken;
  }
  std::string_view text() { return take(varint()); }

 private:
  template <class T>
  T fail(T value) {
    bad_ = true;
    at_ = end_;
    return value;
  }
  uint64_t long_varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return fail(uint64_t{0});
  }

  const char* at_;
  const char* end_;
  bool bad_ = false;
};

}  // namespace gauger::ledger
