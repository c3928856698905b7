// A disk in memory for the ledger and its RocksDB, which breaks in the ways that disks do.
//
//   SimulatedDisk disk(seed);
//   auto ledger = Ledger::open("/ledger", {.disk = &disk.disk()}, clock);
//   disk.arm({.operation = DiskOperation::sync, .kind = FileKind::log, .after = 3});
//
// The model, which is harsher than most file systems and milder than none:
// - What was written is seen by everybody at once and survives the death of the process. It
//   survives loss of power only after a sync of the file, and the file's name only after a sync of
//   its directory.
// - Loss of power keeps, per file, some prefix of what was not synced, torn at any byte, or a
//   longer file with zeros for the rest (not of the manifest: there RocksDB needs a file system
//   that writes what belongs into a file before it makes it longer, as ext4, XFS, btrfs and ZFS
//   do); and some prefix of the changes to directories.
// - A failed write leaves a part of itself. A failed sync loses what it should have synced: it is
//   still read, but no later sync brings it to the disk, as Linux does.
// - A process that was killed (`halt`, or an armed halt) changes nothing more.
//
// Safe from any thread. Random choices are the seed's, in the order in which they are asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/disk.h"

namespace gauger {

enum class DiskOperation : uint8_t { read, write, sync, directory_sync, create, rename, remove };
inline constexpr size_t disk_operation_count = 7;
std::string_view to_string(DiskOperation operation);

// By name: RocksDB's write-ahead log, table, blob, manifest and CURRENT; the ledger's anchor.
enum class FileKind : uint8_t { log, table, blob, manifest, current, anchor, other, any };
inline constexpr size_t file_kind_count = 8;
std::string_view to_string(FileKind kind);
FileKind file_kind_of(std::string_view path);

enum class DiskFailure : uint8_t {
  error,  // EIO
  full,   // ENOSPC
  halt,   // the process is killed in the middle of the operation
  lie,    // says that it synced, and did not
};
std::string_view to_string(DiskFailure failure);

struct DiskFault {
  DiskOperation operation = DiskOperation::write;
  FileKind kind = FileKind::any;
  uint64_t after = 0;  // so many succeed before
  DiskFailure failure = DiskFailure::error;
};

// Contents by path, as a program would read them.
using DiskImage = std::map<std::string, std::string>;

class SimulatedDisk {
 public:
  explicit SimulatedDisk(uint64_t seed = 1);
  // Everything in the image is durable.
  explicit SimulatedDisk(const DiskImage& image, uint64_t seed = 1);
  ~SimulatedDisk();

  ledger::Disk& disk();

  // --- faults
  // Fires once. A second one may be armed only after the first has fired or was disarmed.
  void arm(const DiskFault& fault);
  void disarm();
  bool is_armed() const;
  bool has_fired() const;  // since the start: what it broke may show later
  // Bytes of all files together; a write beyond them fails as ENOSPC.
  void set_capacity(uint64_t bytes);
  uint64_t used_bytes() const;

  // --- life and death of the process and the machine
  // From now on every change fails; what was done stays.
  void halt();
  bool is_halted() const;
  // What a power cut leaves. Halts, too.
  void lose_power();
  // The next process, or the machine, starts.
  void start();

  // How many of each operation were done, for tests that walk through all of them.
  uint64_t count(DiskOperation operation, FileKind kind) const;

  DiskImage image() const;
  // Turns one bit of a file over, on the disk and as it is read.
  void flip(const std::string& path, uint64_t byte, unsigned bit);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
  std::unique_ptr<ledger::Disk> disk_;
};

}  // namespace gauger
