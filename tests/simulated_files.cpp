#include "tests/simulated_files.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <cstring>
#include <thread>

namespace gauger {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using File = std::shared_ptr<SimulatedFile>;
using Files = std::shared_ptr<SimulatedFiles>;

IOStatus status_of(const std::optional<DiskFailure>& failure, const std::string& path) {
  if (!failure) return IOStatus::OK();
  switch (*failure) {
    case DiskFailure::error: return IOStatus::IOError(path, "Input/output error (simulated)");
    case DiskFailure::halt: return IOStatus::IOError(path, "the process was killed (simulated)");
    case DiskFailure::lie: return IOStatus::OK();
    case DiskFailure::full: break;
  }
  auto status = IOStatus::NoSpace(path, "No space left on device (simulated)");
  status.SetRetryable(true);
  return status;
}

// One slash between names, none behind the last.
std::string normal(const std::string& path) {
  std::string result;
  for (const char c : path)
    if (c != '/' || result.empty() || result.back() != '/') result += c;
  if (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

struct Opened {
  Files files;
  File file;
  std::string path;

  IOStatus read(uint64_t offset, size_t size, Slice* result, char* scratch) const {
    std::string data;
    const auto failure = files->read(*file, path, offset, size, data);
    if (failure) return status_of(failure, path);
    if (!data.empty()) std::memcpy(scratch, data.data(), data.size());
    *result = Slice(scratch, data.size());
    return IOStatus::OK();
  }
};

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(Opened opened) : opened_(std::move(opened)) {}
  IOStatus Read(size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    const auto status = opened_.read(at_, size, result, scratch);
    if (status.ok()) at_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t size) override {
    at_ += size;
    return IOStatus::OK();
  }

 private:
  Opened opened_;
  uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(Opened opened) : opened_(std::move(opened)) {}
  IOStatus Read(uint64_t offset, size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return opened_.read(offset, size, result, scratch);
  }

 private:
  Opened opened_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  explicit WritableFile(Opened opened) : opened_(std::move(opened)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    auto& [files, file, path] = opened_;
    return status_of(files->write(*file, path, files->size(*file), {data.data(), data.size()}),
                     path);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    opened_.files->truncate(*opened_.file, size);
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return status_of(opened_.files->sync(*opened_.file, opened_.path), opened_.path);
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    return opened_.files->size(*opened_.file);
  }

 private:
  Opened opened_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFile {
 public:
  explicit RandomRWFile(Opened opened) : opened_(std::move(opened)) {}
  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    auto& [files, file, path] = opened_;
    return status_of(files->write(*file, path, offset, {data.data(), data.size()}), path);
  }
  IOStatus Read(uint64_t offset, size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return opened_.read(offset, size, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return status_of(opened_.files->sync(*opened_.file, opened_.path), opened_.path);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  Opened opened_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(Files files, std::string path) : files_(std::move(files)), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return status_of(files_->sync_entries(path_), path_);
  }

 private:
  Files files_;
  std::string path_;
};

struct Lock final : rocksdb::FileLock {};

struct SilentLogger final : rocksdb::Logger {
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  size_t GetLogFileSize() const override { return 0; }
};

class FileSystem final : public rocksdb::FileSystem {
 public:
  explicit FileSystem(Files files) : files_(std::move(files)) {}
  const char* Name() const override { return "SimulatedDisk"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    return open<SequentialFile>(path, result);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return open<RandomAccessFile>(path, result);
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                           IODebugContext*) override {
    return open<RandomRWFile>(path, result);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext*) override {
    const auto status = status_of(files_->create(normal(path), false), path);
    return status.ok() ? open<WritableFile>(path, result) : status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* context) override {
    return find(path) ? open<WritableFile>(path, result)
                      : NewWritableFile(path, options, result, context);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    if (!find(path)) return missing(path);
    *result = std::make_unique<Directory>(files_, normal(path));
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    return find(path) ? IOStatus::OK() : IOStatus::NotFound();
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    if (!find(path)) return IOStatus::NotFound(path);
    *result = files_->children(normal(path));
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    if (!find(path)) return missing(path);
    return status_of(files_->remove(normal(path)), path);
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    if (find(path)) return IOStatus::IOError(path, "exists");
    return status_of(files_->create(normal(path), true), path);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options,
                              IODebugContext* context) override {
    return find(path) ? IOStatus::OK() : CreateDir(path, options, context);
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& options,
                     IODebugContext* context) override {
    return DeleteFile(path, options, context);
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* result,
                       IODebugContext*) override {
    const auto file = find(path);
    if (!file) return missing(path);
    *result = files_->size(*file);
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* result,
                                   IODebugContext*) override {
    *result = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    if (!find(from)) return missing(from);
    return status_of(files_->rename(normal(from), normal(to)), to);
  }
  IOStatus LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** result,
                    IODebugContext*) override {
    *result = new Lock;
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* result, IODebugContext*) override {
    *result = "/";
    return IOStatus::OK();
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>* result,
                     IODebugContext*) override {
    *result = std::make_shared<SilentLogger>();
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* result,
                           IODebugContext*) override {
    *result = normal(path);
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, uint64_t* result,
                        IODebugContext*) override {
    *result = files_->free_bytes();
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* result,
                       IODebugContext*) override {
    const auto file = find(path);
    if (!file) return missing(path);
    *result = file->is_directory;
    return IOStatus::OK();
  }

 private:
  File find(const std::string& path) const { return files_->find(normal(path)); }
  static IOStatus missing(const std::string& path) {
    return IOStatus::PathNotFound(path, "No such file or directory");
  }
  template <class Opens, class Interface>
  IOStatus open(const std::string& path, std::unique_ptr<Interface>* result) {
    auto file = find(path);
    if (!file || file->is_directory) return missing(path);
    *result = std::make_unique<Opens>(Opened{files_, std::move(file), normal(path)});
    return IOStatus::OK();
  }

  Files files_;
};

// RocksDB sleeps a second after a failed flush, which nothing here needs.
class Clock final : public rocksdb::SystemClockWrapper {
 public:
  Clock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "SimulatedClock"; }
  void SleepForMicroseconds(int) override { std::this_thread::yield(); }
};

class Environment final : public rocksdb::EnvWrapper {
 public:
  explicit Environment(const std::shared_ptr<rocksdb::FileSystem>& files)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::make_shared<Clock>();
  }
  const char* Name() const override { return "SimulatedEnvironment"; }
};

}  // namespace

std::unique_ptr<ledger::Disk> make_disk(std::shared_ptr<SimulatedFiles> files) {
  const auto file_system = std::make_shared<FileSystem>(std::move(files));
  return std::make_unique<ledger::Disk>(file_system, std::make_unique<Environment>(file_system));
}

}  // namespace gauger
