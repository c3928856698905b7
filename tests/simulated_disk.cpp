#include "tests/simulated_disk.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <random>

#include "schemas/verify.h"
#include "tests/simulated_files.h"

namespace gauger {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == path.npos ? "/" : path.substr(0, slash);
}

}  // namespace

std::string_view to_string(DiskOperation operation) {
  constexpr std::array<std::string_view, disk_operation_count> names = {
      "read", "write", "sync", "directory_sync", "create", "rename", "remove"};
  return names[static_cast<size_t>(operation)];
}

std::string_view to_string(FileKind kind) {
  constexpr std::array<std::string_view, file_kind_count> names = {
      "log", "table", "blob", "manifest", "current", "anchor", "other", "any"};
  return names[static_cast<size_t>(kind)];
}

std::string_view to_string(DiskFailure failure) {
  constexpr std::array<std::string_view, 4> names = {"error", "full", "halt", "lie"};
  return names[static_cast<size_t>(failure)];
}

FileKind file_kind_of(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".log")) return FileKind::log;
  if (name.ends_with(".sst")) return FileKind::table;
  if (name.ends_with(".blob")) return FileKind::blob;
  if (name.starts_with("MANIFEST-")) return FileKind::manifest;
  if (name == "CURRENT" || name.ends_with(".dbtmp")) return FileKind::current;
  if (name.starts_with("anchor")) return FileKind::anchor;
  return FileKind::other;
}

// --- one file -----------------------------------------------------------------------------------

void SimulatedFile::write(uint64_t offset, std::string_view data) {
  if (bytes.size() < offset + data.size()) bytes.resize(offset + data.size(), '\0');
  bytes.replace(offset, data.size(), data);
  pending.push_back({offset, std::string(data)});
}

void SimulatedFile::truncate(uint64_t size) {
  bytes.resize(size, '\0');
  if (durable.size() > size) durable.resize(size);
  for (auto& write : pending)
    if (write.offset + write.bytes.size() > size)
      write.bytes.resize(size > write.offset ? size - write.offset : 0);
}

void SimulatedFile::persist(const Pending& write) {
  if (durable.size() < write.offset + write.bytes.size())
    durable.resize(write.offset + write.bytes.size(), '\0');
  durable.replace(write.offset, write.bytes.size(), write.bytes);
}

void SimulatedFile::sync() {
  for (const auto& write : pending) persist(write);
  pending.clear();
}

void SimulatedFile::lose_power(std::mt19937_64& random, bool may_grow) {
  const auto kept = random() % (pending.size() + 1);
  for (size_t i = 0; i < kept; ++i) persist(pending[i]);
  if (kept < pending.size()) {
    auto torn = pending[kept];
    const auto whole = torn.bytes.size();
    torn.bytes.resize(random() % (whole + 1));
    if (random() % 4 == 0 && may_grow) torn.bytes.resize(whole, '\0');
    persist(torn);
  }
  pending.clear();
  bytes = durable;
}

// --- the disk -----------------------------------------------------------------------------------

struct SimulatedDisk::Impl final : SimulatedFiles {
  explicit Impl(uint64_t seed) : random(seed) {
    for (const auto* root : {"/", "."}) {
      entries[root] = std::make_shared<SimulatedFile>();
      entries[root]->is_directory = true;
    }
    durable = entries;
  }

  // Counts an operation and says what becomes of it.
  std::optional<DiskFailure> step(DiskOperation operation, FileKind kind) {
    if (halted && operation != DiskOperation::read) return DiskFailure::halt;
    ++counts[static_cast<size_t>(operation)][static_cast<size_t>(kind)];
    if (!fault || fault->operation != operation ||
        (fault->kind != FileKind::any && fault->kind != kind))
      return std::nullopt;
    if (fault->after != 0) {
      --fault->after;
      return std::nullopt;
    }
    const auto failure = fault->failure;
    fault.reset();
    fired = true;
    halted = halted || failure == DiskFailure::halt;
    return failure;
  }

  void change(const std::string& path, std::shared_ptr<SimulatedFile> file,
              std::optional<std::string> from = std::nullopt) {
    if (from) entries.erase(*from);
    if (file)
      entries[path] = file;
    else
      entries.erase(path);
    changes.push_back({path, std::move(file), std::move(from)});
  }

  void persist(const DirectoryChange& change) {
    if (change.from) durable.erase(*change.from);
    if (change.file)
      durable[change.path] = change.file;
    else
      durable.erase(change.path);
  }

  void sync_directory(const std::string& path) {
    std::erase_if(changes, [&](const DirectoryChange& change) {
      if (parent_of(change.path) != path) return false;
      persist(change);
      return true;
    });
  }

  void lose_power() {
    const auto kept = random() % (changes.size() + 1);
    for (size_t i = 0; i < kept; ++i) persist(changes[i]);
    changes.clear();
    // What lies in a directory that is gone is gone.
    for (auto at = durable.begin(); at != durable.end();)
      at = durable.contains(parent_of(at->first)) ? std::next(at) : durable.erase(at);
    entries = durable;
    // Some file systems make a file longer before they have written what belongs there. RocksDB
    // survives that in all of its files but the manifest.
    for (auto& [path, file] : entries)
      file->lose_power(random, file_kind_of(path) != FileKind::manifest);
    halted = true;
  }

  uint64_t used() const {
    uint64_t sum = 0;
    for (const auto& [path, file] : entries) sum += file->bytes.size();
    return sum;
  }

  // --- SimulatedFiles: what the files that are open ask for.

  std::optional<DiskFailure> write(SimulatedFile& file, const std::string& path, uint64_t offset,
                                   std::string_view data) override {
    const std::lock_guard guard(mutex);
    const bool was_halted = halted;
    const auto failure = step(DiskOperation::write, file_kind_of(path));
    if (was_halted) return failure;
    if (failure) {
      file.write(offset, data.substr(0, random() % (data.size() + 1)));
      return failure;
    }
    const auto end = offset + data.size();
    const auto growth = end > file.bytes.size() ? end - file.bytes.size() : 0;
    if (capacity != UINT64_MAX && used() + growth > capacity) {
      const auto room = capacity - std::min(capacity, used());
      file.write(offset, data.substr(0, data.size() - (growth - std::min(growth, room))));
      return DiskFailure::full;
    }
    file.write(offset, data);
    return std::nullopt;
  }

  std::optional<DiskFailure> sync(SimulatedFile& file, const std::string& path) override {
    const std::lock_guard guard(mutex);
    const bool was_halted = halted;
    const auto failure = step(DiskOperation::sync, file_kind_of(path));
    if (was_halted) return failure;
    if (!failure || (failure == DiskFailure::halt && random() % 2 == 0))
      file.sync();
    else if (failure != DiskFailure::halt)
      file.pending.clear();
    if (failure == DiskFailure::lie) return std::nullopt;
    return failure;
  }

  std::optional<DiskFailure> read(const SimulatedFile& file, const std::string& path,
                                  uint64_t offset, size_t size, std::string& data) override {
    const std::lock_guard guard(mutex);
    const auto failure = step(DiskOperation::read, file_kind_of(path));
    if (failure && failure != DiskFailure::halt) return failure;
    data.assign(file.bytes, std::min<uint64_t>(offset, file.bytes.size()), size);
    return std::nullopt;
  }

  void truncate(SimulatedFile& file, uint64_t size) override {
    const std::lock_guard guard(mutex);
    if (!halted) file.truncate(size);
  }

  uint64_t size(const SimulatedFile& file) const override {
    const std::lock_guard guard(mutex);
    return file.bytes.size();
  }

  std::optional<DiskFailure> sync_entries(const std::string& path) override {
    const std::lock_guard guard(mutex);
    const bool was_halted = halted;
    const auto failure = step(DiskOperation::directory_sync, FileKind::other);
    if (!was_halted && !failure) sync_directory(path);
    return failure;
  }

  std::shared_ptr<SimulatedFile> find(const std::string& path) const override {
    const std::lock_guard guard(mutex);
    const auto found = entries.find(path);
    return found == entries.end() ? nullptr : found->second;
  }

  std::optional<DiskFailure> create(const std::string& path, bool is_directory) override {
    const std::lock_guard guard(mutex);
    auto file = std::make_shared<SimulatedFile>();
    file->is_directory = is_directory;
    return change_unless_it_fails(DiskOperation::create, path, std::move(file), std::nullopt);
  }

  std::optional<DiskFailure> remove(const std::string& path) override {
    const std::lock_guard guard(mutex);
    return change_unless_it_fails(DiskOperation::remove, path, nullptr, std::nullopt);
  }

  std::optional<DiskFailure> rename(const std::string& from, const std::string& path) override {
    const std::lock_guard guard(mutex);
    return change_unless_it_fails(DiskOperation::rename, path, entries.at(from), from);
  }

  std::optional<DiskFailure> change_unless_it_fails(DiskOperation operation,
                                                    const std::string& path,
                                                    std::shared_ptr<SimulatedFile> file,
                                                    std::optional<std::string> from) {
    const bool was_halted = halted;
    const auto failure = step(operation, file_kind_of(path));
    if (was_halted || (failure && (failure != DiskFailure::halt || random() % 2 == 0)))
      return failure;
    change(path, std::move(file), std::move(from));
    return failure;
  }

  std::vector<std::string> children(const std::string& directory) const override {
    const std::lock_guard guard(mutex);
    std::vector<std::string> names;
    for (const auto& [path, file] : entries)
      if (path != "/" && path != "." && parent_of(path) == directory)
        names.push_back(path.substr(path.rfind('/') + 1));
    return names;
  }

  uint64_t free_bytes() const override {
    const std::lock_guard guard(mutex);
    return capacity == UINT64_MAX ? UINT64_MAX : capacity - std::min(capacity, used());
  }

  mutable std::mutex mutex;
  std::map<std::string, std::shared_ptr<SimulatedFile>> entries;
  std::map<std::string, std::shared_ptr<SimulatedFile>> durable;  // after a power cut
  std::vector<DirectoryChange> changes;                           // not yet in it
  std::mt19937_64 random;
  std::optional<DiskFault> fault;
  bool fired = false;
  bool halted = false;
  uint64_t capacity = UINT64_MAX;
  std::array<std::array<uint64_t, file_kind_count>, disk_operation_count> counts{};
};

SimulatedDisk::SimulatedDisk(uint64_t seed)
    : impl_(std::make_shared<Impl>(seed)), disk_(make_disk(impl_)) {}

SimulatedDisk::SimulatedDisk(const DiskImage& image, uint64_t seed) : SimulatedDisk(seed) {
  for (const auto& [path, bytes] : image) {
    for (auto at = parent_of(path); at != "/"; at = parent_of(at)) {
      if (impl_->entries.contains(at)) break;
      impl_->entries[at] = std::make_shared<SimulatedFile>();
      impl_->entries[at]->is_directory = true;
    }
    auto& file = impl_->entries[path] = std::make_shared<SimulatedFile>();
    file->bytes = file->durable = bytes;
  }
  impl_->durable = impl_->entries;
}

SimulatedDisk::~SimulatedDisk() = default;

ledger::Disk& SimulatedDisk::disk() { return *disk_; }

void SimulatedDisk::arm(const DiskFault& fault) {
  const std::lock_guard guard(impl_->mutex);
  VERIFY(!impl_->fault, "one fault at a time");
  impl_->fault = fault;
}

void SimulatedDisk::disarm() {
  const std::lock_guard guard(impl_->mutex);
  impl_->fault.reset();
}

bool SimulatedDisk::is_armed() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->fault.has_value();
}

bool SimulatedDisk::has_fired() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->fired;
}

void SimulatedDisk::set_capacity(uint64_t bytes) {
  const std::lock_guard guard(impl_->mutex);
  impl_->capacity = bytes;
}

uint64_t SimulatedDisk::used_bytes() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->used();
}

void SimulatedDisk::halt() {
  const std::lock_guard guard(impl_->mutex);
  impl_->halted = true;
}

bool SimulatedDisk::is_halted() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->halted;
}

void SimulatedDisk::lose_power() {
  const std::lock_guard guard(impl_->mutex);
  impl_->lose_power();
}

void SimulatedDisk::start() {
  const std::lock_guard guard(impl_->mutex);
  impl_->halted = false;
  impl_->fault.reset();
  impl_->fired = false;
}

uint64_t SimulatedDisk::count(DiskOperation operation, FileKind kind) const {
  const std::lock_guard guard(impl_->mutex);
  const auto& counts = impl_->counts[static_cast<size_t>(operation)];
  if (kind != FileKind::any) return counts[static_cast<size_t>(kind)];
  uint64_t sum = 0;
  for (const auto count : counts) sum += count;
  return sum;
}

DiskImage SimulatedDisk::image() const {
  const std::lock_guard guard(impl_->mutex);
  DiskImage image;
  for (const auto& [path, file] : impl_->entries)
    if (!file->is_directory) image[path] = file->bytes;
  return image;
}

void SimulatedDisk::flip(const std::string& path, uint64_t byte, unsigned bit) {
  const std::lock_guard guard(impl_->mutex);
  auto& file = *impl_->entries.at(path);
  for (auto* bytes : {&file.bytes, &file.durable})
    if (byte < bytes->size())
      (*bytes)[byte] = static_cast<char>(static_cast<uint8_t>((*bytes)[byte]) ^ (1U << bit));
}

}  // namespace gauger
