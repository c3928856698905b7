// One writer per data directory. The lock is the file's, not its presence: it is gone when the
// process is, however it ended. The file says who holds it.
#pragma once

#include <filesystem>
#include <utility>

#include "ledger/disk.h"
#include "schemas/result.h"

namespace gauger::ledger {

class DirectoryLock {
 public:
  // unavailable, naming the holder, when another process has it. On a disk that no other process
  // sees there is nothing to lock.
  static Result<DirectoryLock> take(const std::filesystem::path& path,
                                    const Disk& disk = Disk::machine());
  DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  int file_;
};

}  // namespace gauger::ledger
