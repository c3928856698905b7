#include "ledger/rocks_log_check.h"

#include <rocksdb/file_system.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/rocks_crc32c.h"

namespace gauger::ledger {
namespace {

// As in RocksDB's wiki, "Write Ahead Log File Format", which the manifest shares: blocks, and in
// them records of a masked CRC32C (4 bytes), a length (2) and a type (1), of which the checksum
// begins. What is left of a block when no header fits is zeros.
constexpr size_t block_size = 32U << 10;
constexpr size_t header_size = 7;

struct Header {
  uint32_t crc = 0;
  uint16_t length = 0;
  uint8_t type = 0;
};

Header header_of(std::string_view record) {
  Header header;
  std::memcpy(&header.crc, record.data(), sizeof header.crc);
  std::memcpy(&header.length, record.data() + 4, sizeof header.length);
  header.type = static_cast<uint8_t>(record[6]);
  return header;
}

// Whole, first, middle and last part. Higher ones are of files that are used again, which the
// store's options exclude.
bool is_type(uint8_t type) { return type >= 1 && type <= 4; }

bool is_whole(std::string_view record, uint32_t masked, uint16_t length, uint8_t type) {
  if (header_size + length > record.size()) return false;
  const char first = static_cast<char>(type);
  const auto crc = extend_crc32c(extend_crc32c(0, {&first, 1}), record.substr(header_size, length));
  return (crc >> 15U | crc << 17U) + 0xA282'EAD8 == masked;
}

// Whether one bit of its length or its type is all that is wrong with a record.
bool is_one_bit_off(std::string_view rest, const Header& header) {
  for (unsigned bit = 0; bit < 16; ++bit) {
    const auto length = static_cast<uint16_t>(header.length ^ 1U << bit);
    if (is_whole(rest, header.crc, length, header.type)) return true;
  }
  for (unsigned bit = 0; bit < 8; ++bit) {
    const auto type = static_cast<uint8_t>(header.type ^ 1U << bit);
    if (is_type(type) && is_whole(rest, header.crc, header.length, type)) return true;
  }
  return false;
}

// Where a record begins whose damage hides what follows.
std::optional<size_t> hiding_record(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const auto left = block_size - at % block_size;
    if (left < header_size) {
      at += left;
      continue;
    }
    const auto rest = bytes.substr(at, left);
    if (rest.size() < header_size) return std::nullopt;
    const auto header = header_of(rest);
    if (!is_type(header.type) || header_size + header.length > rest.size())
      return is_one_bit_off(rest, header) ? std::optional(at) : std::nullopt;
    at += header_size + header.length;
  }
  return std::nullopt;
}

Result<void> check(const std::filesystem::path& path, const Disk& disk) {
  TRY(const auto bytes, disk.read(path));
  if (!bytes) return success();  // a writer has begun another meanwhile
  const auto at = hiding_record(*bytes);
  if (!at) return success();
  return corruption(path.string() + " is damaged at byte " + std::to_string(*at) + " of " +
                    std::to_string(bytes->size()) +
                    ", and RocksDB would take that for its end. The files are as they were; "
                    "restore a backup");
}

}  // namespace

Result<void> check_manifest(const std::filesystem::path& store, const Disk& disk) {
  TRY(auto current, disk.read(store / "CURRENT"));
  if (!current) return success();
  while (!current->empty() && current->back() == '\n') current->pop_back();
  return check(store / *current, disk);
}

Result<void> check_write_ahead_logs(const std::filesystem::path& store, const Disk& disk) {
  std::vector<std::string> names;
  // A store that is made now has no directory yet.
  disk.files().GetChildren(store.string(), {}, &names, nullptr).PermitUncheckedError();
  for (const auto& name : names) {
    if (!name.ends_with(".log")) continue;
    TRY(check(store / name, disk));
  }
  return success();
}

}  // namespace gauger::ledger
