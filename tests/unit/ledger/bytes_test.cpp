// Why: nearly every stored number is a varint. How: the edges of every length, against the plain
// loop, with room behind them and without.
#include "ledger/bytes.h"

#include <vector>

#include "tests/catch.h"

namespace gauger::ledger {
namespace {

std::string plain_varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::vector<uint64_t> edges() {
  std::vector<uint64_t> values = {0, UINT64_MAX};
  for (unsigned bits = 0; bits < 64; ++bits)
    for (const auto by : {-1, 0, 1})
      values.push_back((uint64_t{1} << bits) + static_cast<uint64_t>(by));
  return values;
}

}  // namespace

TEST_CASE("varints of every length are those of the plain loop and read back", "[ledger]") {
  for (const auto value : edges()) {
    CAPTURE(value);
    std::string bytes;
    put_varint(bytes, value);
    REQUIRE(bytes == plain_varint(value));
    for (const auto* behind : {"", "\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}) {
      const auto text = bytes + behind;
      ByteReader reader(text);
      CHECK(reader.varint() == value);
      CHECK_FALSE(reader.bad());
      CHECK(reader.left() == text.size() - bytes.size());
    }
    for (size_t size = 0; size < bytes.size(); ++size) {
      ByteReader cut(std::string_view(bytes).substr(0, size));
      cut.varint();
      CHECK(cut.bad());
    }
  }
}

TEST_CASE("a varint that is longer than it need be reads as its value", "[ledger]") {
  const std::string padded("\x85\x80\x80\x00\x2A\x00\x00\x00\x00", 9);
  ByteReader reader(padded);
  CHECK(reader.varint() == 5);
  CHECK(reader.varint() == 42);
  CHECK(reader.left() == 4);
}

}  // namespace gauger::ledger
