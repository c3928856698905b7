// Inside the simulated disk: its files, and RocksDB's view of them (simulated_files.cpp).
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulated_disk.h"

namespace gauger {

struct SimulatedFile {
  struct Pending {
    uint64_t offset;
    std::string bytes;
  };
  bool is_directory = false;
  std::string bytes;             // as it is read
  std::string durable;           // as a power cut leaves it, but for
  std::vector<Pending> pending;  // writes that were not synced, in order

  void write(uint64_t offset, std::string_view data);
  void truncate(uint64_t size);
  void sync();
  void lose_power(std::mt19937_64& random, bool may_grow);

 private:
  void persist(const Pending& write);
};

struct DirectoryChange {
  std::string path;
  std::shared_ptr<SimulatedFile> file;  // none: removed
  std::optional<std::string> from;      // renamed
};

// What fails says how; it may have been done in part.
class SimulatedFiles {
 public:
  virtual ~SimulatedFiles() = default;
  virtual std::optional<DiskFailure> write(SimulatedFile& file, const std::string& path,
                                           uint64_t offset, std::string_view data) = 0;
  virtual std::optional<DiskFailure> sync(SimulatedFile& file, const std::string& path) = 0;
  virtual std::optional<DiskFailure> read(const SimulatedFile& file, const std::string& path,
                                          uint64_t offset, size_t size, std::string& data) = 0;
  virtual void truncate(SimulatedFile& file, uint64_t size) = 0;
  virtual uint64_t size(const SimulatedFile& file) const = 0;
  virtual std::optional<DiskFailure> sync_entries(const std::string& path) = 0;
  virtual std::shared_ptr<SimulatedFile> find(const std::string& path) const = 0;
  virtual std::optional<DiskFailure> create(const std::string& path, bool is_directory) = 0;
  virtual std::optional<DiskFailure> remove(const std::string& path) = 0;
  virtual std::optional<DiskFailure> rename(const std::string& from, const std::string& path) = 0;
  virtual std::vector<std::string> children(const std::string& directory) const = 0;
  virtual uint64_t free_bytes() const = 0;
};

std::unique_ptr<ledger::Disk> make_disk(std::shared_ptr<SimulatedFiles> files);

}  // namespace gauger
