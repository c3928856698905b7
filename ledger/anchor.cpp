#include "ledger/anchor.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ledger/bytes.h"
#include "ledger/crash_point.h"
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

Error failed(const char* doing, const std::filesystem::path& path) {
  return io_error(std::string(doing) + " " + path.string() + ": " + std::strerror(errno));
}

Result<std::optional<Slot>> read_slots(int file, const std::filesystem::path& path) {
  std::array<char, 2 * slot_bytes> bytes{};
  const auto size = ::pread(file, bytes.data(), bytes.size(), 0);
  if (size < 0) return failed("reading", path);
  if (size == 0) return std::optional<Slot>();
  std::optional<Slot> newest;
  for (size_t i = 0; i < 2; ++i) {
    const auto slot = decode_slot({bytes.data() + i * slot_bytes, slot_bytes});
    if (slot && (!newest || slot->turn > newest->turn)) newest = slot;
  }
  if (!newest) return corruption("both slots of " + path.string() + " are damaged");
  return newest;
}

}  // namespace

Result<Anchor> Anchor::open(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return failed("opening", path);
  Anchor anchor(file, path);
  TRY(const auto slot, read_slots(file, path));
  if (slot) {
    anchor.turn_ = slot->turn;
    anchor.head_ = slot->head;
  }
  return anchor;
}

Anchor::Anchor(Anchor&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      path_(std::move(other.path_)),
      turn_(other.turn_),
      head_(std::move(other.head_)) {}

Anchor::~Anchor() {
  if (file_ >= 0) ::close(file_);
}

Result<void> Anchor::write(const Head& head) {
  ++turn_;
  const auto bytes = encode_slot({turn_, head});
  const auto at = static_cast<off_t>((turn_ & 1) * slot_bytes);
  if (::pwrite(file_, bytes.data(), bytes.size(), at) != static_cast<ssize_t>(bytes.size()))
    return failed("writing", path_);
  if (::fdatasync(file_) != 0) return failed("syncing", path_);
  crash_point("after_anchor");
  head_ = head;
  return success();
}

Result<std::optional<Head>> Anchor::read(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("opening", path);
  auto slot = read_slots(file, path);
  ::close(file);
  if (!slot) return slot.error();
  if (!slot.value()) return std::optional<Head>();
  return std::optional<Head>(slot.value()->head);
}

}  // namespace gauger::ledger
