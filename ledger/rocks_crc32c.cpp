// RocksDB checks its log with CRC32C. A build for any x86-64, as Debian's, has no instruction for
// it and takes longer over the checksum than over the write. The function below has RocksDB's name
// and gives the same values, by the processor's instruction where there is one: the dynamic linker
// lets a program's own function stand in for a library's. It is weak, so that a RocksDB which is
// linked into the program keeps its own; on other processors it does not exist.
#include "ledger/rocks_crc32c.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__) && defined(__ELF__)
#define GAUGER_HAS_CRC32C_INSTRUCTION 1

namespace rocksdb::crc32c {
// As declared in RocksDB's util/crc32c.h, which is not installed.
[[gnu::weak]] uint32_t Extend(uint32_t init_crc, const char* data, size_t n);
}  // namespace rocksdb::crc32c

#else
#define GAUGER_HAS_CRC32C_INSTRUCTION 0
#endif

namespace gauger::ledger {
namespace {

// Reflected Castagnoli polynomial.
constexpr uint32_t polynomial = 0x82F6'3B78;

constexpr auto make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    auto crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? polynomial : 0);
    table[byte] = crc;
  }
  return table;
}

uint32_t extend_by_table(uint32_t crc, const char* data, size_t size) {
  static constexpr auto table = make_table();
  for (size_t i = 0; i < size; ++i)
    crc = table[(crc ^ static_cast<uint8_t>(data[i])) & 0xFFU] ^ crc >> 8U;
  return crc;
}

#if GAUGER_HAS_CRC32C_INSTRUCTION
[[gnu::target("sse4.2")]] uint32_t extend_by_instruction(uint32_t crc, const char* data,
                                                         size_t size) {
  uint64_t wide = crc;
  for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), data += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; size != 0; --size, ++data) crc = __builtin_ia32_crc32qi(crc, static_cast<uint8_t>(*data));
  return crc;
}
#endif

}  // namespace

uint32_t extend_crc32c(uint32_t crc, std::string_view bytes) {
#if GAUGER_HAS_CRC32C_INSTRUCTION
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  const auto extend = has_instruction ? extend_by_instruction : extend_by_table;
#else
  const auto extend = extend_by_table;
#endif
  return ~extend(~crc, bytes.data(), bytes.size());
}

bool knows_crc32c() {
  constexpr std::string_view digits = "123456789";
  constexpr uint32_t check = 0xE306'9283;  // of RFC 3720's polynomial, as catalogued
  const auto in_parts = extend_crc32c(extend_crc32c(0, digits.substr(0, 1)), digits.substr(1));
  return extend_crc32c(0, digits) == check && in_parts == check;
}

}  // namespace gauger::ledger

#if GAUGER_HAS_CRC32C_INSTRUCTION
uint32_t rocksdb::crc32c::Extend(uint32_t init_crc, const char* data, size_t n) {
  return gauger::ledger::extend_crc32c(init_crc, {data, n});
}
#endif
