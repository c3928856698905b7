// The anchor: a small file beside the store that says how far the ledger is known to be durable,
// with the head as it was then. Written and synced after every sync of the store. A ledger whose
// head lies below its anchor has lost acknowledged data: that is damage, not a crash.
//
// Two slots of 512 bytes, written in turn, so that a torn write spoils at most the newer one. The
// file itself comes into being whole, by a rename: one without an intact slot is damaged.
// Slot: 0 magic "GJA1", 4 u32 head bytes, 8 u64 turn, 16 the encoded head, 504 u64 XXH3.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ledger/disk.h"
#include "ledger/head.h"

namespace rocksdb {
class FSRandomRWFile;
}

namespace gauger::ledger {

class Anchor {
 public:
  // In a new ledger what lies beside the anchor is durable, by name, when it returns.
  static Result<Anchor> open(const std::filesystem::path& path, Disk& disk = Disk::machine());
  Anchor(Anchor&& other) noexcept;
  Anchor& operator=(Anchor&&) = delete;
  ~Anchor();

  // The newest intact slot; none in a new ledger. corruption when both slots are damaged.
  const std::optional<Head>& head() const { return head_; }
  // Durable when it returns.
  Result<void> write(const Head& head);

  // Whether a slot holds neither a head nor nothing: damage, or a write that was torn and that the
  // next start mends.
  static Result<bool> is_damaged(const std::filesystem::path& path, Disk& disk = Disk::machine());
  // For readers beside a writer.
  static Result<std::optional<Head>> read(const std::filesystem::path& path,
                                          Disk& disk = Disk::machine());

 private:
  Anchor(std::filesystem::path path, Disk& disk);
  Result<void> open_file();

  std::filesystem::path path_;
  Disk& disk_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;  // none before the first write
  uint64_t turn_ = 0;
  std::optional<Head> head_;
};

}  // namespace gauger::ledger
