// The file system that a data directory lies on: the machine's, or one that tests break at will.
// RocksDB's files and what the ledger keeps beside them go through the same one, so that one model
// of faults covers both. Errors are io and name the path. Safe from any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/result.h"

namespace rocksdb {
class Env;
class FileSystem;
}  // namespace rocksdb

namespace gauger::ledger {

class Disk {
 public:
  static Disk& machine();
  Disk(std::shared_ptr<rocksdb::FileSystem> files, std::unique_ptr<rocksdb::Env> env);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();

  // Whether processes can lock files of it against one another.
  bool is_machine() const;
  rocksdb::Env* env() const;
  rocksdb::FileSystem& files() const { return *files_; }

  bool exists(const std::filesystem::path& path) const;
  // Those that it makes survive a power cut once it has returned.
  Result<void> make_directories(const std::filesystem::path& path) const;
  // So do files and directories that were just made in it.
  Result<void> sync_directory(const std::filesystem::path& directory) const;
  // The same where nobody knows who made the directory itself: he may have been killed before it
  // was durable.
  Result<void> sync_new_directory(const std::filesystem::path& directory) const;
  // None where there is no such file.
  Result<std::optional<std::string>> read(const std::filesystem::path& path) const;
  // Durable when it returns; a power cut before leaves what was there, or all of `bytes`.
  Result<void> replace(const std::filesystem::path& path, std::string_view bytes) const;
  // None where the file system does not say.
  std::optional<uint64_t> free_bytes(const std::filesystem::path& directory) const;

 private:
  std::shared_ptr<rocksdb::FileSystem> files_;
  std::unique_ptr<rocksdb::Env> own_env_;
};

}  // namespace gauger::ledger
