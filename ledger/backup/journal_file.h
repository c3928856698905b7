// A stretch of the journal in a file of its own: what backups are made of, and archives. It holds
// blocks as they are stored, with their identity chunks and quarantined records; everything else
// is replayed from them (ledger/replay.h). Files are written once, whole, and never changed.
//
// Name: journal-<first sequence>-<last sequence>.gjf, twenty digits each, so that names sort.
// On disk, little-endian:
//     0  magic "GJF1"          4  u16 format      6  u16 zero
//     8  u64 first sequence   16  u64 last sequence
//    24  u64 first row        32  u64 next row, after the last block
//    40  SHA-256 of the block before the first (zeros where there is none)
//    72  SHA-256 of the last block
//   104  SHA-256 of everything but these 32 bytes
//   136  u32 size, the ledger's configuration (config.h)
//        entries to the end: u8 kind, u32 size, bytes. 'B': a block. 'I': an identity chunk of the
//        block before it. 'Q': what Family::quarantine holds of it: text key, text value.
//
// Errors: corruption names the file; io names it too. One thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ledger/block.h"
#include "ledger/config.h"
#include "ledger/store.h"

namespace gauger::ledger {

struct JournalFile {
  std::filesystem::path path;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t first_row = 0;
  uint64_t next_row = 0;
  Digest previous_hash{};
  Digest hash{};     // of the last block
  Digest content{};  // of the file
  uint64_t bytes = 0;
};

// A block with what was stored with it.
struct JournalRecord {
  std::string block;
  std::vector<std::string> chunks;
  std::vector<std::pair<std::string, std::string>> quarantine;  // keys and values
};

// What the store holds of a block that was just read from it.
class JournalRecordReader {
 public:
  explicit JournalRecordReader(const Store& store) : store_(store) {}
  Result<JournalRecord> read(const Block& block, std::string_view bytes);

 private:
  Result<std::string> hash_key_of(std::string_view key, std::string_view value);

  const Store& store_;
  std::vector<std::pair<std::string, std::string>> hash_keys_;  // read once, when first needed
};

class JournalFileWriter {
 public:
  static constexpr size_t file_bytes_max = 32U << 20;

  explicit JournalFileWriter(const LedgerConfig& config);
  // In order; `block` is the record's, decoded.
  void add(const Block& block, const JournalRecord& record);
  bool empty() const { return blocks_ == 0; }
  bool full() const { return entries_.size() >= file_bytes_max; }
  // Durable under its name when it returns; the writer is empty again.
  Result<JournalFile> write(const std::filesystem::path& directory);

 private:
  std::string config_;
  std::string entries_;
  uint64_t blocks_ = 0;
  JournalFile file_;
};

using VisitRecord = std::function<Result<void>(const Block& block, const JournalRecord& record)>;
// Checks the file's hash, every block, the chain and the identities; blocks are decoded whole.
Result<JournalFile> read_journal_file(const std::filesystem::path& path, const LedgerConfig& config,
                                      const VisitRecord& visit);
// Header and configuration only.
Result<std::pair<JournalFile, LedgerConfig>> open_journal_file(const std::filesystem::path& path);
// The files of a directory in order. corruption where they do not follow one another.
Result<std::vector<JournalFile>> list_journal_files(const std::filesystem::path& directory);

// Whole, synced and renamed into place, with its directory: it is there or it is not.
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);
Result<std::string> read_file(const std::filesystem::path& path);

}  // namespace gauger::ledger
