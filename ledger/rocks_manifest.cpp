#include "ledger/rocks_manifest.h"

#include <cstring>
#include <string_view>

#include "ledger/rocks_crc32c.h"

namespace gauger::ledger {
namespace {

// As in RocksDB's wiki, "Write Ahead Log File Format", which the manifest shares: blocks, and in
// them records of a masked CRC32C (4 bytes), a length (2) and a type (1), of which the checksum
// begins. What is left of a block when no header fits is zeros.
constexpr size_t block_size = 32U << 10;
constexpr size_t header_size = 7;

uint32_t unmasked(uint32_t crc) {
  crc -= 0xA282'EAD8;
  return crc >> 17U | crc << 15U;
}

// Whether the checksum is of some other length than the record says.
bool has_another_length(std::string_view rest) {
  uint32_t wanted = 0;
  std::memcpy(&wanted, rest.data(), sizeof wanted);
  wanted = unmasked(wanted);
  auto crc = extend_crc32c(0, rest.substr(header_size - 1, 1));
  for (auto at = header_size; crc != wanted; ++at) {
    if (at == rest.size()) return false;
    crc = extend_crc32c(crc, rest.substr(at, 1));
  }
  return true;
}

// Whole, first, middle and last part. A higher one is of a log file that is used again, and ends
// the reading; RocksDB begins each manifest in a new file.
bool is_type(char type) { return type >= 1 && type <= 4; }

// Where a record begins whose damage hides what follows.
std::optional<size_t> damaged_record(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const auto left = block_size - at % block_size;
    if (left < header_size) {
      at += left;
      continue;
    }
    const auto rest = bytes.substr(at, left);
    if (rest.size() < header_size) return std::nullopt;
    if (!is_type(rest[header_size - 1])) return at;
    uint16_t length = 0;
    std::memcpy(&length, rest.data() + 4, sizeof length);
    if (header_size + length > rest.size())
      return has_another_length(rest) ? std::optional(at) : std::nullopt;
    at += header_size + length;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> manifest_damage(const std::filesystem::path& store,
                                                   const Disk& disk) {
  TRY(auto current, disk.read(store / "CURRENT"));
  if (!current) return std::optional<std::string>();
  while (!current->empty() && current->back() == '\n') current->pop_back();
  const auto path = store / *current;
  TRY(const auto bytes, disk.read(path));
  if (!bytes) return std::optional<std::string>();  // a writer began another meanwhile
  const auto at = damaged_record(*bytes);
  if (!at) return std::optional<std::string>();
  return std::optional(path.string() + " is damaged at byte " + std::to_string(*at) + " of " +
                       std::to_string(bytes->size()) +
                       ": what follows there is not read; the next start of the writer mends it");
}

}  // namespace gauger::ledger
