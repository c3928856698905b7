// Why: a log whose checksums are wrong is a lost log. How: the function that RocksDB finds under
// its own name, against the polynomial taken bit by bit.
#include "ledger/rocks_crc32c.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "tests/catch.h"

#if defined(__x86_64__) && defined(__ELF__)

namespace rocksdb::crc32c {
uint32_t Extend(uint32_t init_crc, const char* data, size_t n);
}

namespace {

uint32_t slowly(uint32_t crc, std::string_view bytes) {
  crc = ~crc;
  for (const auto byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F6'3B78U : 0U);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("the checksum of the store's log is CRC32C however it is cut into parts", "[ledger]") {
  CHECK(gauger::ledger::knows_crc32c());
  std::mt19937_64 random(7);
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    const auto whole = rocksdb::crc32c::Extend(0, bytes.data(), size);
    CHECK(whole == slowly(0, bytes));
    const auto cut = size == 0 ? 0 : random() % size;
    const auto first = rocksdb::crc32c::Extend(0, bytes.data(), cut);
    CHECK(rocksdb::crc32c::Extend(first, bytes.data() + cut, size - cut) == whole);
  }
}

#endif
