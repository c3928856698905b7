// The store on disk: one RocksDB, a column family each. The write-ahead log is on for all but
// the projections. Errors are io or corruption and name the file; the caller ends the process
// on a failed write or sync, since a log that failed once cannot be trusted.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "ledger/disk.h"
#include "ledger/store.h"

namespace gauger::ledger {

struct RocksConfig {
  size_t block_cache_bytes = 64U << 20;
  size_t write_buffer_bytes = 32U << 20;  // of the journal
};

class RocksStore final : public Store {
 public:
  // Opens for writing and takes the lock; unavailable when another process holds it. A log that
  // breaks off, or is damaged, ends there: what follows is given up. `may_give_up` is shown before
  // what would be left; where it answers with an error, the files stay as they were found.
  using MayGiveUp = std::function<Result<void>(const Store& left)>;
  static Result<std::unique_ptr<RocksStore>> open(const std::filesystem::path& directory,
                                                  const RocksConfig& config,
                                                  Disk& disk = Disk::machine(),
                                                  const MayGiveUp& may_give_up = {});
  // What a store holds now, beside the process that may be writing it. Takes no lock.
  static Result<std::unique_ptr<RocksStore>> open_reader(const std::filesystem::path& directory,
                                                         Disk& disk = Disk::machine());
  ~RocksStore() override;

  Result<void> write(const WriteSet& set) override;
  Result<void> sync() override;
  Result<void> write_projection(const WriteSet& set) override;
  Result<void> write_unlogged(const WriteSet& set) override;
  Result<void> remove_range(Family family, std::string_view from, std::string_view until) override;
  Result<void> discard(Family family, std::string_view from, std::string_view until) override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
  Result<std::optional<Entry>> at_or_before(Family family, std::string_view key) const override;
  std::unique_ptr<Seeker> seeker(Family family) const override;
  Result<void> scan(Family family, std::string_view from, std::string_view until,
                    const Visit& visit) const override;

  // Makes everything durable that was written unlogged.
  Result<void> flush();
  // Gives the room of what was removed back to the disk.
  Result<void> compact(Family family);
  // Reads every block of every file and compares checksums.
  Result<void> verify_checksums() const;
  // Live bytes on disk of a family, and of everything including the log.
  uint64_t family_bytes(Family family) const;
  // Bytes written by flushes, compactions and the log since the store was opened.
  uint64_t bytes_written() const;

 private:
  struct Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::ledger
