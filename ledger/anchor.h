// The anchor: a small file beside the store that says how far the ledger is known to be durable,
// with the head as it was then. Written and synced after every sync of the store. A ledger whose
// head lies below its anchor has lost acknowledged data: that is damage, not a crash.
//
// Two slots of 512 bytes, written in turn, so that a torn write spoils at most the newer one.
// Slot: 0 magic "GJA1", 4 u32 head bytes, 8 u64 turn, 16 the encoded head, 504 u64 XXH3.
#pragma once

#include <filesystem>
#include <optional>

#include "ledger/head.h"

namespace gauger::ledger {

class Anchor {
 public:
  static Result<Anchor> open(const std::filesystem::path& path);
  Anchor(Anchor&& other) noexcept;
  Anchor& operator=(Anchor&&) = delete;
  ~Anchor();

  // The newest intact slot; none in a new ledger. corruption when both slots are damaged.
  const std::optional<Head>& head() const { return head_; }
  // Durable when it returns.
  Result<void> write(const Head& head);

  // For readers beside a writer.
  static Result<std::optional<Head>> read(const std::filesystem::path& path);

 private:
  Anchor(int file, std::filesystem::path path) : file_(file), path_(std::move(path)) {}
  int file_;
  std::filesystem::path path_;
  uint64_t turn_ = 0;
  std::optional<Head> head_;
};

}  // namespace gauger::ledger
