#include "ledger/backup/journal_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ledger/bytes.h"
#include "ledger/digest_codec.h"
#include "ledger/disk.h"
#include "ledger/lock.h"
#include "ledger/quarantine.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view magic = "GJF1";
constexpr size_t content_at = 104;
constexpr size_t header_bytes = content_at + sizeof(Digest);
constexpr size_t header_read_bytes = header_bytes + (64U << 10);  // configurations are smaller

Error failed(const char* doing, const std::filesystem::path& path) {
  return io_error(std::string(doing) + " " + path.string() + ": " + std::strerror(errno));
}
Error damaged(const std::filesystem::path& path, const std::string& how) {
  return corruption(path.string() + " is damaged: " + how);
}

std::string name_of(const JournalFile& file) {
  const auto digits = [](uint64_t number) {
    const auto text = std::to_string(number);
    return std::string(20 - text.size(), '0') + text;
  };
  return "journal-" + digits(file.first_sequence) + "-" + digits(file.last_sequence) + ".gjf";
}

void put_entry(std::string& out, char kind, std::string_view bytes) {
  put(out, kind);
  put(out, static_cast<uint32_t>(bytes.size()));
  out.append(bytes);
}

Digest content_of(std::string_view bytes) {
  const std::string_view parts[] = {bytes.substr(0, content_at), bytes.substr(header_bytes)};
  return sha256(parts);
}

Result<std::string> read_some(const std::filesystem::path& path, size_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("opening", path);
  std::string bytes;
  while (bytes.size() < bytes_max) {
    const auto begin = bytes.size();
    bytes.resize(std::min(bytes_max, begin + (1U << 20)));
    const auto size = ::read(file, bytes.data() + begin, bytes.size() - begin);
    bytes.resize(begin + static_cast<size_t>(std::max<ssize_t>(size, 0)));
    if (size == 0) break;
    if (size < 0) {
      const auto error = failed("reading", path);
      ::close(file);
      return error;
    }
  }
  ::close(file);
  return bytes;
}

// The header; the reader stands behind the configuration.
Result<std::pair<JournalFile, LedgerConfig>> read_header(const std::filesystem::path& path,
                                                         ByteReader& reader) {
  if (reader.take(magic.size()) != magic) return damaged(path, "it does not begin as one");
  if (reader.get<uint16_t>() > disk_format)
    return Error{ErrorCode::newer_format, path.string() + " was written by a newer gauger"};
  reader.get<uint16_t>();
  JournalFile file;
  file.path = path;
  file.first_sequence = reader.get<uint64_t>();
  file.last_sequence = reader.get<uint64_t>();
  file.first_row = reader.get<uint64_t>();
  file.next_row = reader.get<uint64_t>();
  file.previous_hash = get_digest(reader);
  file.hash = get_digest(reader);
  file.content = get_digest(reader);
  const auto config_bytes = reader.take(reader.get<uint32_t>());
  if (reader.bad()) return damaged(path, "its header is cut off");
  TRY(auto config, decode_config(config_bytes));
  return std::pair(std::move(file), std::move(config));
}

}  // namespace

// --- what a store holds of a block ----------------------------------------------------------

Result<JournalRecord> JournalRecordReader::read(const Block& block, std::string_view bytes) {
  JournalRecord record;
  record.block = bytes;
  TRY(store_.scan(Family::identities, identity_chunk_key(block.first_row),
                  identity_chunk_key(block.first_row + block.records()),
                  [&](std::string_view, std::string_view value) -> Result<bool> {
                    record.chunks.emplace_back(value);
                    return true;
                  }));
  if (block.events.size() == block.records()) return record;
  TRY(store_.scan(Family::quarantine, quarantine_key(block.sequence, 0),
                  quarantine_key(block.sequence + 1, 0),
                  [&](std::string_view key, std::string_view value) -> Result<bool> {
                    record.quarantine.emplace_back(key, value);
                    TRY(auto hash_key, hash_key_of(key, value));
                    record.quarantine.emplace_back(std::move(hash_key), key);
                    return true;
                  }));
  return record;
}

// The key by which a record's bytes are known again. They are all there unless it was very long.
Result<std::string> JournalRecordReader::hash_key_of(std::string_view key, std::string_view value) {
  TRY(const auto record, decode_quarantined(key, value));
  if (record.raw.size() == record.record_bytes)
    return quarantine_hash_key(record.name_space, record.raw);
  if (hash_keys_.empty()) {
    TRY(store_.scan(Family::quarantine, "H", "I",
                    [&](std::string_view hash_key, std::string_view of) -> Result<bool> {
                      hash_keys_.emplace_back(of, hash_key);
                      return true;
                    }));
    std::sort(hash_keys_.begin(), hash_keys_.end());
  }
  const auto found = std::lower_bound(hash_keys_.begin(), hash_keys_.end(),
                                      std::pair(std::string(key), std::string()));
  if (found == hash_keys_.end() || found->first != key)
    return corruption("the quarantined record " + record.id() + " is not found by its hash");
  return found->second;
}

// --- writing --------------------------------------------------------------------------------

JournalFileWriter::JournalFileWriter(const LedgerConfig& config) : config_(encode(config)) {}

void JournalFileWriter::add(const Block& block, const JournalRecord& record) {
  if (blocks_++ == 0) {
    file_ = {};
    file_.first_sequence = block.sequence;
    file_.first_row = block.first_row;
    file_.previous_hash = block.previous_hash;
  } else {
    VERIFY(block.sequence == file_.last_sequence + 1 && block.previous_hash == file_.hash,
           "a journal file takes blocks in order");
  }
  file_.last_sequence = block.sequence;
  file_.next_row = block.first_row + block.records();
  file_.hash = sha256(record.block);
  put_entry(entries_, 'B', record.block);
  for (const auto& chunk : record.chunks) put_entry(entries_, 'I', chunk);
  for (const auto& [key, value] : record.quarantine) {
    std::string entry;
    put_text(entry, key);
    put_text(entry, value);
    put_entry(entries_, 'Q', entry);
  }
}

Result<JournalFile> JournalFileWriter::write(const std::filesystem::path& directory) {
  std::string bytes(magic);
  put(bytes, disk_format);
  put(bytes, uint16_t{0});
  put(bytes, file_.first_sequence);
  put(bytes, file_.last_sequence);
  put(bytes, file_.first_row);
  put(bytes, file_.next_row);
  put_digest(bytes, file_.previous_hash);
  put_digest(bytes, file_.hash);
  put_digest(bytes, Digest{});
  VERIFY(bytes.size() == header_bytes, "the header has its size");
  put(bytes, static_cast<uint32_t>(config_.size()));
  bytes.append(config_);
  bytes.append(entries_);
  file_.content = content_of(bytes);
  std::memcpy(bytes.data() + content_at, file_.content.data(), sizeof(Digest));
  file_.bytes = bytes.size();
  file_.path = directory / name_of(file_);
  TRY(write_file(file_.path, bytes));
  entries_.clear();
  blocks_ = 0;
  return file_;
}

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes) {
  auto partial = path;
  partial += ".partial";
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("making", partial);
  const auto ended = [&](Result<void> result) {
    ::close(file);
    return result;
  };
  for (size_t done = 0; done < bytes.size();) {
    const auto size = ::write(file, bytes.data() + done, bytes.size() - done);
    if (size < 0) return ended(failed("writing", partial));
    done += static_cast<size_t>(size);
  }
  if (::fsync(file) != 0) return ended(failed("syncing", partial));
  TRY(ended(success()));
  if (::rename(partial.c_str(), path.c_str()) != 0) return failed("naming", path);
  return Disk::machine().sync_directory(path.parent_path());
}

// --- reading --------------------------------------------------------------------------------

Result<std::string> read_file(const std::filesystem::path& path) {
  return read_some(path, SIZE_MAX / 2);
}

Result<std::pair<JournalFile, LedgerConfig>> open_journal_file(const std::filesystem::path& path) {
  TRY(const auto bytes, read_some(path, header_read_bytes));
  ByteReader reader(bytes);
  TRY(auto opened, read_header(path, reader));
  std::error_code error;
  opened.first.bytes = std::filesystem::file_size(path, error);
  if (path.filename() != name_of(opened.first)) return damaged(path, "it has another one's name");
  return opened;
}

namespace {

class RecordWalk {
 public:
  RecordWalk(const JournalFile& file, const VisitRecord& visit) : file_(file), visit_(visit) {}

  Result<void> run(ByteReader& reader) {
    hash_ = file_.previous_hash;
    next_row_ = file_.first_row;
    while (!reader.at_end()) {
      const auto kind = reader.get<char>();
      const auto bytes = reader.take(reader.get<uint32_t>());
      if (reader.bad()) return damaged(file_.path, "an entry is cut off");
      TRY(take(kind, bytes));
    }
    TRY(finish());
    if (sequence_ != file_.last_sequence || next_row_ != file_.next_row || hash_ != file_.hash)
      return damaged(file_.path, "it does not hold the blocks that it names");
    return success();
  }

 private:
  Result<void> take(char kind, std::string_view bytes) {
    if (kind == 'B') {
      TRY(finish());
      record_.block = bytes;
      open_ = true;
      return success();
    }
    if (!open_) return damaged(file_.path, "it does not begin with a block");
    if (kind == 'I') {
      record_.chunks.emplace_back(bytes);
      return success();
    }
    ByteReader entry(bytes);
    const auto key = entry.text();
    const auto value = entry.text();
    if (kind != 'Q' || !entry.complete()) return damaged(file_.path, "an entry cannot be read");
    record_.quarantine.emplace_back(key, value);
    return success();
  }

  Result<void> finish() {
    if (!open_) return success();
    TRY(auto block, decode_block(record_.block, Columns::all));
    TRY(read_identities(record_.chunks, block));
    const auto expected = sequence_ == 0 ? file_.first_sequence : sequence_ + 1;
    if (block.sequence != expected || block.first_row != next_row_ || block.previous_hash != hash_)
      return damaged(file_.path, "block " + std::to_string(block.sequence) +
                                     " does not chain to the one before");
    sequence_ = block.sequence;
    next_row_ += block.records();
    hash_ = sha256(record_.block);
    TRY(visit_(block, record_));
    record_ = {};
    open_ = false;
    return success();
  }

  const JournalFile& file_;
  const VisitRecord& visit_;
  JournalRecord record_;
  bool open_ = false;
  uint64_t sequence_ = 0;
  uint64_t next_row_ = 0;
  Digest hash_{};
};

}  // namespace

Result<JournalFile> read_journal_file(const std::filesystem::path& path, const LedgerConfig& config,
                                      const VisitRecord& visit) {
  TRY(const auto bytes, read_file(path));
  ByteReader reader(bytes);
  TRY(auto header, read_header(path, reader));
  auto& [file, found] = header;
  file.bytes = bytes.size();
  if (file.content != content_of(bytes)) return damaged(path, "it does not match its hash");
  if (found.identity_key != config.identity_key)
    return Error{ErrorCode::refused, path.string() + " is of another ledger"};
  TRY(RecordWalk(file, visit).run(reader));
  return std::move(file);
}

Result<std::vector<JournalFile>> list_journal_files(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == ".gjf") paths.push_back(entry.path());
  if (error) return io_error("reading " + directory.string() + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  std::vector<JournalFile> files;
  for (const auto& path : paths) {
    TRY(auto opened, open_journal_file(path));
    auto& file = opened.first;
    if (!files.empty() && (file.first_sequence != files.back().last_sequence + 1 ||
                           file.previous_hash != files.back().hash))
      return damaged(path, "it does not follow " + files.back().path.filename().string());
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace gauger::ledger
