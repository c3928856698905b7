#include "ledger/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/options.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "ledger/crash_point.h"
#include "ledger/log_gate.h"
#include "ledger/rocks_abort.h"
#include "ledger/rocks_crc32c.h"
#include "ledger/rocks_error.h"
#include "ledger/rocks_log_check.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::array<const char*, family_count> family_names = {
    "default", "journal",   "dictionary", "positions",    "quarantine",   "amendments",
    "rollups", "documents", "identities", "reservations", "identity_runs"};

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

rocksdb::ColumnFamilyOptions family_options(Family family, const RocksConfig& config,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  // A chunk, or a bucket, is asked for alone.
  const bool is_identity = family == Family::identities || family == Family::identity_runs;
  table.block_size = is_identity ? 2U << 10 : 16U << 10;
  // What a long scan reads ahead doubles up to here; a short one reads what it asks for.
  table.max_auto_readahead_size = 2U << 20;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kNoCompression;  // the codecs compress by column
  options.write_buffer_size = 8U << 20;
  if (family == Family::rollups) {
    // Large values: written once to blob files, so that compaction moves keys only.
    options.enable_blob_files = true;
    options.min_blob_size = 2048;
    options.blob_file_size = 256U << 20;
    options.enable_blob_garbage_collection = true;
  }
  // Keys of the journal only grow, so its files never overlap and compaction moves them without
  // reading: blob files would save nothing, and their checksum is slow.
  if (family == Family::journal || family == Family::identities)
    options.write_buffer_size = config.write_buffer_bytes;
  return options;
}

rocksdb::DBOptions database_options(const RocksConfig& config, const Disk& disk) {
  VERIFY(knows_crc32c(), "RocksDB's checksum is CRC32C");
  rocksdb::DBOptions options;
  options.env = disk.env();
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // What failed once is not gone on with, and nothing unlogged is worth a write at the end.
  options.max_bgerror_resume_count = 0;
  options.avoid_flush_during_shutdown = true;
  options.allow_concurrent_memtable_write = false;  // one writer
  options.max_total_wal_size = 4 * config.write_buffer_bytes;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1U << 20;
  options.wal_bytes_per_sync = 1U << 20;
  options.recycle_log_file_num = 0;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4U << 20;
  options.max_open_files = -1;
  // RocksDB starts so many for each family before it knows whether there are files to open.
  options.max_file_opening_threads = 1;
  options.statistics = rocksdb::CreateDBStatistics();
  options.statistics->set_stats_level(rocksdb::StatsLevel::kExceptDetailedTimers);
  return options;
}

// Small files whose keys follow one another are merged when there are so many of them.
constexpr size_t small_files_min = 16;
constexpr uint64_t small_file_bytes = 1U << 20;

struct KeyRange {
  std::string first;
  std::string last;
};

// Small files between which lies no large one.
std::vector<KeyRange> small_neighbours(const rocksdb::ColumnFamilyMetaData& family) {
  std::vector<const rocksdb::SstFileMetaData*> files;
  for (const auto& level : family.levels)
    for (const auto& file : level.files) files.push_back(&file);
  std::sort(files.begin(), files.end(),
            [](const auto* a, const auto* b) { return a->smallestkey < b->smallestkey; });
  std::vector<KeyRange> ranges;
  for (size_t begin = 0; begin < files.size();) {
    auto end = begin;
    while (end < files.size() && files[end]->size < small_file_bytes) ++end;
    if (end - begin >= small_files_min)
      ranges.push_back({files[begin]->smallestkey, files[end - 1]->largestkey});
    begin = std::max(end, begin + 1);
  }
  return ranges;
}

}  // namespace

struct RocksStore::Impl {
  LogGate gate;
  std::unique_ptr<rocksdb::Env> env;  // of a writer: its log is guarded
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::shared_ptr<rocksdb::Statistics> statistics;
  std::string name;

  ~Impl() {
    if (db) {
      for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
      db->Close();
      db.reset();
    }
  }

  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles[static_cast<size_t>(family)];
  }

  Error log_failed() const {
    return io_error("the log of " + name + " has failed; nothing is written to it any more");
  }

  // Keys of some families only grow: RocksDB moves their files down its levels as they are. Each
  // start that finds a log makes one file more, and ten thousand starts more than a process may
  // open.
  Result<void> merge_small_files(Family family) const {
    rocksdb::ColumnFamilyMetaData files;
    db->GetColumnFamilyMetaData(handle(family), &files);
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    for (const auto& range : small_neighbours(files)) {
      const auto first = slice(range.first);
      const auto last = slice(range.last);
      const auto status = db->CompactRange(options, handle(family), &first, &last);
      if (!status.ok()) return to_error(status, "merging files of " + name);
    }
    return success();
  }

  Result<void> apply(const WriteSet& set, const rocksdb::WriteOptions& options) {
    size_t bytes = 64;
    for (const auto& write : set.writes)
      bytes += write.key.size() + (write.value ? write.value->size() : 0) + 32;
    rocksdb::WriteBatch batch(bytes);
    for (const auto& write : set.writes) {
      const auto status =
          write.value ? batch.Put(handle(write.family), slice(write.key), slice(*write.value))
                      : batch.Delete(handle(write.family), slice(write.key));
      if (!status.ok()) return to_error(status, "preparing a write to " + name);
    }
    // What is not logged may still be what closes a full log.
    const auto pass = gate.enter(LogUse::write);
    if (!pass) return log_failed();
    const auto status = db->Write(options, &batch);
    if (!status.ok()) return to_error(status, "writing to " + name);
    return success();
  }
};

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

namespace {

std::vector<rocksdb::ColumnFamilyDescriptor> descriptors(const RocksConfig& config) {
  const auto cache = rocksdb::NewLRUCache(config.block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> all;
  for (size_t i = 0; i < family_count; ++i)
    all.emplace_back(family_names[i], family_options(static_cast<Family>(i), config, cache));
  return all;
}

std::vector<std::string> files_of(const std::filesystem::path& directory, const Disk& disk) {
  std::vector<std::string> names;
  // A directory that cannot be listed has no names; opening it says why.
  disk.files().GetChildren(directory.string(), {}, &names, nullptr).PermitUncheckedError();
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

// In RocksDB's mode of absolute consistency a log with any damage is refused and left alone; in the
// usual one it is cut where it breaks, and what follows is deleted. So the first one is tried
// first, and most starts read the log once.
Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::filesystem::path& directory,
                                                     const RocksConfig& config, Disk& disk,
                                                     const MayGiveUp& may_give_up) {
  auto impl = std::make_unique<Impl>();
  impl->name = directory.string();
  const AbortNote note(impl->name);
  TRY(check_manifest(directory, disk));
  TRY(check_write_ahead_logs(directory, disk));
  auto options = database_options(config, disk);
  impl->env = guard_log(disk, impl->gate);
  options.env = impl->env.get();
  impl->statistics = options.statistics;
  rocksdb::DB* db = nullptr;
  const auto open = [&](rocksdb::WALRecoveryMode mode) {
    options.wal_recovery_mode = mode;
    return rocksdb::DB::Open(options, directory.string(), descriptors(config), &impl->handles, &db);
  };
  auto status = open(rocksdb::WALRecoveryMode::kAbsoluteConsistency);
  if (status.IsCorruption()) {
    if (may_give_up) {
      const auto left = open_reader(directory, disk);
      if (!left)
        return Error{left.error().code,
                     left.error().sentence + ". Its files are as they were; restore a backup"};
      TRY(may_give_up(*left.value()));
    }
    status = open(rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  }
  if (!status.ok()) return to_error(status, "opening " + impl->name);
  impl->db.reset(db);
  for (const auto family : {Family::journal, Family::identities}) {
    TRY(impl->merge_small_files(family));
  }
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
}

// RocksDB 7.8's secondary instance crashes when it reads a blob, so a reader is a read-only
// instance: a snapshot at its opening. A file that the writer drops meanwhile makes the opening
// fail, and it is tried again; where no file came or went, what failed will fail again.
Result<std::unique_ptr<RocksStore>> RocksStore::open_reader(const std::filesystem::path& directory,
                                                            Disk& disk) {
  constexpr int tries = 10;
  const AbortNote note(directory.string());
  TRY(check_manifest(directory, disk));
  auto options = database_options({}, disk);
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  for (int attempt = 1;; ++attempt) {
    auto impl = std::make_unique<Impl>();
    impl->name = directory.string();
    rocksdb::DB* db = nullptr;
    const auto files = files_of(directory, disk);
    const auto status = rocksdb::DB::OpenForReadOnly(options, directory.string(), descriptors({}),
                                                     &impl->handles, &db);
    if (status.ok()) {
      impl->db.reset(db);
      impl->statistics = options.statistics;
      return std::unique_ptr<RocksStore>(new RocksStore(std::move(impl)));
    }
    if (attempt == tries || files_of(directory, disk) == files)
      return to_error(status, "opening " + impl->name + " for reading");
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

Result<void> RocksStore::write(const WriteSet& set) {
  rocksdb::WriteOptions options;
  options.sync = false;
  crash_point("before_write");
  TRY(impl_->apply(set, options));
  crash_point("after_write");
  return success();
}

Result<void> RocksStore::sync() {
  crash_point("before_sync");
  const auto pass = impl_->gate.enter(LogUse::sync);
  if (!pass) return impl_->log_failed();
  const auto status = impl_->db->SyncWAL();
  if (!status.ok()) return to_error(status, "syncing the log of " + impl_->name);
  crash_point("after_sync");
  return success();
}

Result<void> RocksStore::write_unlogged(const WriteSet& set) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return impl_->apply(set, options);
}

Result<void> RocksStore::write_projection(const WriteSet& set) {
  TRY(write_unlogged(set));
  if (set.writes.empty()) return success();
  const auto status = impl_->db->Flush({}, impl_->handle(set.writes.front().family));
  if (!status.ok()) return to_error(status, "flushing a projection of " + impl_->name);
  return success();
}

Result<void> RocksStore::remove_range(Family family, std::string_view from,
                                      std::string_view until) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto status =
      impl_->db->DeleteRange(options, impl_->handle(family), slice(from), slice(until));
  if (!status.ok()) return to_error(status, "removing from " + impl_->name);
  return success();
}

// Unlike DeleteRange, which leaves a note of the range: one flush of several notes covers all keys
// between them, and the compaction behind it writes those again.
Result<void> RocksStore::discard(Family family, std::string_view from, std::string_view until) {
  const auto begin = slice(from);
  const auto end = slice(until);
  const rocksdb::RangePtr range(&begin, &end);
  const auto status = rocksdb::DeleteFilesInRanges(impl_->db.get(), impl_->handle(family), &range,
                                                   1, /*include_end=*/false);
  if (!status.ok()) return to_error(status, "removing files of " + impl_->name);
  return success();
}

Result<std::optional<std::string>> RocksStore::get(Family family, std::string_view key) const {
  std::string value;
  const auto status = impl_->db->Get({}, impl_->handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return to_error(status, "reading " + impl_->name);
  return std::optional<std::string>(std::move(value));
}

Result<std::optional<Store::Entry>> RocksStore::at_or_before(Family family,
                                                             std::string_view key) const {
  const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator({}, impl_->handle(family)));
  at->SeekForPrev(slice(key));
  if (at->Valid()) {
    return std::optional<Entry>(Entry{at->key().ToString(), at->value().ToString()});
  }
  if (!at->status().ok()) return to_error(at->status(), "reading " + impl_->name);
  return std::optional<Entry>();
}

std::unique_ptr<Store::Seeker> RocksStore::seeker(Family family) const {
  class IteratorSeeker final : public Seeker {
   public:
    IteratorSeeker(std::unique_ptr<rocksdb::Iterator> at, std::string name)
        : at_(std::move(at)), name_(std::move(name)) {}
    Result<std::optional<EntryView>> at_or_after(std::string_view key) override {
      at_->Seek(slice(key));
      return entry();
    }
    Result<std::optional<EntryView>> next() override {
      at_->Next();
      return entry();
    }

   private:
    Result<std::optional<EntryView>> entry() const {
      if (at_->Valid()) return std::optional(EntryView{view(at_->key()), view(at_->value())});
      if (!at_->status().ok()) return to_error(at_->status(), "reading " + name_);
      return std::optional<EntryView>();
    }
    std::unique_ptr<rocksdb::Iterator> at_;
    std::string name_;
  };
  rocksdb::ReadOptions options;
  // A chunk is checked by whoever decodes it.
  options.verify_checksums = family != Family::identities;
  return std::make_unique<IteratorSeeker>(
      std::unique_ptr<rocksdb::Iterator>(impl_->db->NewIterator(options, impl_->handle(family))),
      impl_->name);
}

Result<void> RocksStore::scan(Family family, std::string_view from, std::string_view until,
                              const Visit& visit) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(
      impl_->db->NewIterator(options, impl_->handle(family)));
  for (at->Seek(slice(from)); at->Valid(); at->Next()) {
    if (!until.empty() && view(at->key()) >= until) break;
    TRY(const bool more, visit(view(at->key()), view(at->value())));
    if (!more) break;
  }
  if (!at->status().ok()) return to_error(at->status(), "reading " + impl_->name);
  return success();
}

Result<void> RocksStore::flush() {
  const auto status = impl_->db->Flush({}, impl_->handles);
  if (!status.ok()) return to_error(status, "flushing " + impl_->name);
  return success();
}

Result<void> RocksStore::compact(Family family) {
  rocksdb::CompactRangeOptions options;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1;
  const auto status = impl_->db->CompactRange(options, impl_->handle(family), nullptr, nullptr);
  if (!status.ok()) return to_error(status, "compacting " + impl_->name);
  return success();
}

Result<void> RocksStore::verify_checksums() const {
  const auto status = impl_->db->VerifyChecksum();
  if (!status.ok()) return to_error(status, "verifying " + impl_->name);
  return success();
}

uint64_t RocksStore::family_bytes(Family family) const {
  uint64_t tables = 0;
  uint64_t blobs = 0;
  auto* handle = impl_->handle(family);
  impl_->db->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &tables);
  impl_->db->GetIntProperty(handle, rocksdb::DB::Properties::kTotalBlobFileSize, &blobs);
  return tables + blobs;
}

uint64_t RocksStore::bytes_written() const {
  const auto& statistics = *impl_->statistics;
  return statistics.getTickerCount(rocksdb::WAL_FILE_BYTES) +
         statistics.getTickerCount(rocksdb::FLUSH_WRITE_BYTES) +
         statistics.getTickerCount(rocksdb::COMPACT_WRITE_BYTES) +
         statistics.getTickerCount(rocksdb::BLOB_DB_BLOB_FILE_BYTES_WRITTEN);
}

}  // namespace gauger::ledger
