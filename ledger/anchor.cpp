#include "ledger/anchor.h"

#include <rocksdb/file_system.h>

#include "ledger/bytes.h"
#include "ledger/crash_point.h"
#include "ledger/rocks_error.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view magic = "GJA1";
constexpr size_t slot_bytes = 512;
constexpr size_t checksum_at = slot_bytes - sizeof(uint64_t);

struct Slot {
  uint64_t turn;
  Head head;
};

std::string encode_slot(const Slot& slot) {
  const auto head = encode(slot.head);
  std::string bytes(magic);
  put(bytes, static_cast<uint32_t>(head.size()));
  put(bytes, slot.turn);
  bytes.append(head);
  VERIFY(bytes.size() <= checksum_at, "a head fits in an anchor slot");
  bytes.resize(checksum_at, '\0');
  put(bytes, hash64(bytes));
  return bytes;
}

// None where the slot is damaged or was never written.
std::optional<Slot> decode_slot(std::string_view bytes) {
  if (bytes.size() != slot_bytes || bytes.substr(0, magic.size()) != magic) return std::nullopt;
  if (ByteReader(bytes.substr(checksum_at)).get<uint64_t>() != hash64(bytes.substr(0, checksum_at)))
    return std::nullopt;
  ByteReader reader(bytes.substr(magic.size()));
  const auto size = reader.get<uint32_t>();
  const auto turn = reader.get<uint64_t>();
  auto head = decode_head(reader.take(size));
  if (reader.bad() || !head) return std::nullopt;
  return Slot{turn, head.value()};
}

Result<std::optional<Slot>> read_slots(const std::filesystem::path& path, const Disk& disk) {
  TRY(const auto bytes, disk.read(path));
  if (!bytes || bytes->empty()) return std::optional<Slot>();
  std::optional<Slot> newest;
  for (size_t i = 0; i < 2; ++i) {
    const auto at = std::min(i * slot_bytes, bytes->size());
    const auto slot = decode_slot(std::string_view(*bytes).substr(at, slot_bytes));
    if (slot && (!newest || slot->turn > newest->turn)) newest = slot;
  }
  if (!newest) return corruption("both slots of " + path.string() + " are damaged");
  return newest;
}

}  // namespace

Anchor::Anchor(std::filesystem::path path, Disk& disk) : path_(std::move(path)), disk_(disk) {}
Anchor::Anchor(Anchor&& other) noexcept = default;
Anchor::~Anchor() = default;

Result<Anchor> Anchor::open(const std::filesystem::path& path, Disk& disk) {
  Anchor anchor(path, disk);
  TRY(const auto slot, read_slots(path, disk));
  if (slot) {
    anchor.turn_ = slot->turn;
    anchor.head_ = slot->head;
    TRY(anchor.open_file());
  } else {
    TRY(disk.sync_new_directory(path.parent_path()));
  }
  return anchor;
}

Result<void> Anchor::open_file() {
  const auto status = disk_.files().NewRandomRWFile(path_.string(), {}, &file_, nullptr);
  if (!status.ok()) return to_error(status, "opening " + path_.string());
  return success();
}

Result<void> Anchor::write(const Head& head) {
  ++turn_;
  const auto bytes = encode_slot({turn_, head});
  const auto at = (turn_ & 1) * slot_bytes;
  if (!file_) {
    TRY(disk_.replace(path_, std::string(at, '\0') + bytes));
    TRY(open_file());
  } else {
    auto status = file_->Write(at, bytes, {}, nullptr);
    if (!status.ok()) return to_error(status, "writing " + path_.string());
    status = file_->Sync({}, nullptr);
    if (!status.ok()) return to_error(status, "syncing " + path_.string());
  }
  crash_point("after_anchor");
  head_ = head;
  return success();
}

Result<bool> Anchor::is_damaged(const std::filesystem::path& path, Disk& disk) {
  TRY(const auto bytes, disk.read(path));
  if (!bytes || bytes->size() != 2 * slot_bytes) return bytes.has_value();
  const std::string empty(slot_bytes, '\0');
  for (size_t i = 0; i < 2; ++i) {
    const auto slot = std::string_view(*bytes).substr(i * slot_bytes, slot_bytes);
    if (!decode_slot(slot) && slot != empty) return true;
  }
  return false;
}

Result<std::optional<Head>> Anchor::read(const std::filesystem::path& path, Disk& disk) {
  TRY(const auto slot, read_slots(path, disk));
  if (!slot) return std::optional<Head>();
  return std::optional<Head>(slot->head);
}

}  // namespace gauger::ledger
