#include "ledger/disk.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "ledger/rocks_error.h"

namespace gauger::ledger {
namespace {

const rocksdb::IOOptions io_options;

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view doing) {
  const auto sentence = std::string(doing) + ": " + status.ToString();
  if (status.IsCorruption()) return corruption(sentence);
  if (status.IsIOError() && (sentence.find("lock file: ") != sentence.npos ||
                             sentence.find("lock hold by current process") != sentence.npos))
    return {ErrorCode::unavailable, sentence};
  return io_error(sentence);
}

Disk& Disk::machine() {
  static Disk disk(rocksdb::FileSystem::Default(), nullptr);
  return disk;
}

Disk::Disk(std::shared_ptr<rocksdb::FileSystem> files, std::unique_ptr<rocksdb::Env> env)
    : files_(std::move(files)), own_env_(std::move(env)) {}

Disk::~Disk() = default;

bool Disk::is_machine() const { return files_ == rocksdb::FileSystem::Default(); }

rocksdb::Env* Disk::env() const { return own_env_ ? own_env_.get() : rocksdb::Env::Default(); }

bool Disk::exists(const std::filesystem::path& path) const {
  return files_->FileExists(path.string(), io_options, nullptr).ok();
}

Result<void> Disk::make_directories(const std::filesystem::path& path) const {
  if (path.empty() || exists(path)) return success();
  const auto parent = path.parent_path();
  TRY(make_directories(parent));
  const auto status = files_->CreateDirIfMissing(path.string(), io_options, nullptr);
  if (!status.ok()) return to_error(status, "making " + path.string());
  return sync_directory(parent.empty() ? "." : parent);
}

Result<void> Disk::sync_directory(const std::filesystem::path& directory) const {
  std::unique_ptr<rocksdb::FSDirectory> opened;
  auto status = files_->NewDirectory(directory.string(), io_options, &opened, nullptr);
  if (status.ok())
    status =
        opened->FsyncWithDirOptions(rocksdb::IOOptions(true), nullptr, rocksdb::DirFsyncOptions());
  if (!status.ok()) return to_error(status, "syncing " + directory.string());
  return success();
}

Result<void> Disk::sync_new_directory(const std::filesystem::path& directory) const {
  TRY(sync_directory(directory));
  // The one above need not be readable for us. Where we made this one, it was synced then.
  std::error_code error;
  const auto parent = std::filesystem::absolute(directory, error).parent_path();
  static_cast<void>(sync_directory(parent));
  return success();
}

Result<std::optional<std::string>> Disk::read(const std::filesystem::path& path) const {
  std::string bytes;
  const auto status = rocksdb::ReadFileToString(files_.get(), path.string(), &bytes);
  if (status.IsNotFound() || status.IsPathNotFound()) return std::optional<std::string>();
  if (!status.ok()) return to_error(status, "reading " + path.string());
  return std::optional(std::move(bytes));
}

Result<void> Disk::replace(const std::filesystem::path& path, std::string_view bytes) const {
  const auto next = path.string() + ".new";
  auto status =
      rocksdb::WriteStringToFile(files_.get(), {bytes.data(), bytes.size()}, next, /*sync=*/true);
  if (status.ok()) status = files_->RenameFile(next, path.string(), io_options, nullptr);
  if (!status.ok()) return to_error(status, "writing " + path.string());
  return sync_directory(path.parent_path());
}

std::optional<uint64_t> Disk::free_bytes(const std::filesystem::path& directory) const {
  uint64_t bytes = 0;
  if (!files_->GetFreeSpace(directory.string(), io_options, &bytes, nullptr).ok())
    return std::nullopt;
  return bytes;
}

}  // namespace gauger::ledger
