#include "ledger/log_gate.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <string>
#include <utility>

namespace gauger::ledger {
namespace {

class GuardedLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  GuardedLog(std::unique_ptr<rocksdb::FSWritableFile>&& file, LogGate& gate)
      : FSWritableFileOwnerWrapper(std::move(file)), gate_(gate) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    return told(LogUse::write, target()->Append(data, options, debug));
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* debug) override {
    return told(LogUse::write, target()->Append(data, options, info, debug));
  }
  rocksdb::IOStatus Flush(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return told(LogUse::write, target()->Flush(options, debug));
  }
  rocksdb::IOStatus RangeSync(uint64_t offset, uint64_t bytes, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override {
    return told(LogUse::write, target()->RangeSync(offset, bytes, options, debug));
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    return told(LogUse::sync, target()->Sync(options, debug));
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return told(LogUse::sync, target()->Fsync(options, debug));
  }

 private:
  rocksdb::IOStatus told(LogUse use, rocksdb::IOStatus status) {
    if (!status.ok()) gate_.fail(use);
    return status;
  }

  LogGate& gate_;
};

class GuardedFiles final : public rocksdb::FileSystemWrapper {
 public:
  GuardedFiles(rocksdb::FileSystem& files, LogGate& gate)
      : FileSystemWrapper(std::shared_ptr<rocksdb::FileSystem>(std::shared_ptr<void>(), &files)),
        gate_(gate) {}

  const char* Name() const override { return "GuardedFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    auto status = target()->NewWritableFile(path, options, file, debug);
    if (status.ok() && path.ends_with(".log"))
      *file = std::make_unique<GuardedLog>(std::move(*file), gate_);
    return status;
  }

 private:
  LogGate& gate_;
};

class GuardedEnvironment final : public rocksdb::EnvWrapper {
 public:
  GuardedEnvironment(const Disk& disk, LogGate& gate) : EnvWrapper(disk.env()) {
    file_system_ = std::make_shared<GuardedFiles>(disk.files(), gate);
    system_clock_ = disk.env()->GetSystemClock();
  }
  const char* Name() const override { return "GuardedEnvironment"; }
};

}  // namespace

LogGate::Pass LogGate::enter(LogUse use) {
  std::unique_lock lock(mutex_);
  auto& inside = inside_[static_cast<size_t>(use)];
  if (use == LogUse::sync) left_.wait(lock, [&] { return inside == 0 || has_failed_; });
  if (has_failed_) return {nullptr, use};
  ++inside;
  return {this, use};
}

void LogGate::leave(LogUse use) {
  {
    const std::lock_guard lock(mutex_);
    --inside_[static_cast<size_t>(use)];
  }
  left_.notify_all();
}

void LogGate::fail(LogUse use) {
  const auto other = static_cast<size_t>(use == LogUse::write ? LogUse::sync : LogUse::write);
  std::unique_lock lock(mutex_);
  has_failed_ = true;
  left_.notify_all();
  left_.wait_for(lock, patience_, [&] { return inside_[other] == 0; });
}

std::unique_ptr<rocksdb::Env> guard_log(const Disk& disk, LogGate& gate) {
  return std::make_unique<GuardedEnvironment>(disk, gate);
}

}  // namespace gauger::ledger
