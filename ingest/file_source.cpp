#include "ingest/file_source.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "ingest/byte_stream.h"

namespace gauger::ingest {
namespace {

bool take_suffix(std::string_view& path, std::string_view suffix) {
  if (!path.ends_with(suffix)) return false;
  path.remove_suffix(suffix.size());
  return true;
}

Compression take_compression(std::string_view& path) {
  if (take_suffix(path, ".gz")) return Compression::gzip;
  if (take_suffix(path, ".zst")) return Compression::zstd;
  return Compression::none;
}

struct Suffix {
  std::string_view suffix;
  Framing framing;
  std::string_view decoder;
};

constexpr std::array<Suffix, 6> suffixes = {{
    {".jsonl", Framing::lines, "json"},
    {".ndjson", Framing::lines, "json"},
    {".json", Framing::json_values, "json"},
    {".pb", Framing::delimited, "proto"},
    {".binpb", Framing::delimited, "proto"},
    {".csv", Framing::csv, "csv"},
}};

// The bytes of a file that can be read; 0 where it has no size of its own. Does not open it: the
// writer of a pipe would take the close for its end.
Result<int64_t> readable_bytes(const std::string& path) {
  if (path == "-") return 0;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0)
    return invalid_argument(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (S_ISDIR(status.st_mode))
    return invalid_argument(fmt::format("{} is a directory, not a file", path));
  return S_ISREG(status.st_mode) ? int64_t{status.st_size} : int64_t{0};
}

}  // namespace

Result<FileFormat> file_format(std::string_view path) {
  auto name = path;
  const auto compression = take_compression(name);
  for (const auto& [suffix, framing, decoder] : suffixes)
    if (name.ends_with(suffix)) return FileFormat{compression, framing, decoder};
  return invalid_argument(
      fmt::format("the suffix of {} does not say what it holds (.jsonl, .ndjson, .json, .pb, "
                  ".binpb or .csv, with .gz or .zst): name the format",
                  path));
}

// An open file and how to read it.
struct FileSource::Stream {
  FileDescriptor file;
  std::unique_ptr<ByteStream> bytes;
  bool may_wait;  // a pipe or terminal, which may have nothing to say yet
};

FileSource::FileSource(Config config, std::vector<File> files, int64_t bytes_total)
    : config_(std::move(config)),
      files_(std::move(files)),
      bytes_total_(bytes_total),
      chunks_(config_.chunk_bytes) {
  for (const auto& file : files_) partitions_.push_back({"file:" + file.path, 0});
}

FileSource::~FileSource() = default;

Result<std::unique_ptr<FileSource>> FileSource::open(Config config) {
  if (config.paths.empty()) return invalid_argument("no file is named");
  // A record of the largest size must fit beside what is being read.
  config.chunk_bytes = std::max(config.chunk_bytes, 2 * Framer::input_bytes_min);
  std::vector<File> files;
  int64_t bytes_total = 0;
  bool total_is_known = true;
  for (const auto& path : config.paths) {
    if (std::ranges::count(config.paths, path) > 1)
      return invalid_argument(fmt::format("{} is named twice", path));
    File file{path, {}};
    if (!config.framing && path != "-") {
      TRY(file.format, file_format(path));
    } else {
      std::string_view name = path;
      file.format.compression = take_compression(name);
      file.format.framing = config.framing.value_or(Framing::lines);
    }
    if (config.compression) file.format.compression = *config.compression;
    TRY(const auto bytes, readable_bytes(path));
    bytes_total += bytes;
    total_is_known = total_is_known && path != "-";
    files.push_back(std::move(file));
  }
  return std::unique_ptr<FileSource>(
      new FileSource(std::move(config), std::move(files), total_is_known ? bytes_total : 0));
}

Result<void> FileSource::poll(RecordBatch& batch, size_t records_max, size_t bytes_max,
                              std::chrono::milliseconds wait) {
  if (failed_) return *failed_;
  Frame frame;
  while (batch.records.size() < records_max && batch.bytes < bytes_max) {
    if (stream_ && append_plain(batch, records_max)) continue;
    if (stream_ && framer_.take(window_, last_, frame)) {
      append(batch, frame);
      continue;
    }
    if (stream_ && !last_ && stream_->may_wait &&
        !is_ready(batch.records.empty() ? wait : std::chrono::milliseconds{0}))
      return success();
    if ((!stream_ || last_) && next_file_ == files_.size()) {
      batch.at_end = true;
      return success();
    }
    if (auto filled = !stream_ || last_ ? open_next() : refill(); !filled) {
      failed_ = filled.error();
      // What was read before goes first.
      return batch.records.empty() ? Result<void>(*failed_) : success();
    }
  }
  return success();
}

Result<void> FileSource::open_next() {
  const auto& [path, format] = files_[next_file_++];
  TRY(auto file, FileDescriptor::open(path));
  struct stat status {};
  const auto is_regular = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  auto bytes = make_byte_stream(file, path, format.compression, bytes_done_);
  // Decompressors hold bytes back, which no question to the system reveals.
  const auto may_wait = !is_regular && format.compression == Compression::none;
  stream_ = std::make_unique<Stream>(Stream{std::move(file), std::move(bytes), may_wait});
  framer_ = Framer(format.framing);
  csv_columns_ = nullptr;
  next_offset_ = 0;
  last_ = false;
  chunk_ = nullptr;
  filled_ = 0;
  window_ = {};
  return success();
}

// Reads more behind what the framer has not taken. Batches still look into the old chunk, so
// only its unused end may be written to.
Result<void> FileSource::refill() {
  constexpr size_t read_bytes_min = size_t{64} << 10U;
  if (!chunk_ || config_.chunk_bytes - filled_ < read_bytes_min) {
    auto chunk = chunks_.take();
    if (!window_.empty()) std::memcpy(chunk.get(), window_.data(), window_.size());
    chunk_ = std::move(chunk);
    filled_ = window_.size();
  }
  TRY(const auto count,
      stream_->bytes->read(chunk_.get() + filled_, config_.chunk_bytes - filled_));
  filled_ += count;
  window_ = {chunk_.get() + filled_ - count - window_.size(), window_.size() + count};
  last_ = count == 0;
  return success();
}

bool FileSource::is_ready(std::chrono::milliseconds wait) const {
  pollfd descriptor{stream_->file.get(), POLLIN, 0};
  return ::poll(&descriptor, 1, static_cast<int>(wait.count())) != 0;
}

// Records without a defect, many at once: in all no more bytes than one record may have, so that a
// batch goes beyond its limit by no more than a record would.
bool FileSource::append_plain(RecordBatch& batch, size_t records_max) {
  std::array<std::string_view, 64> frames;
  static_assert(frames.size() * Framer::plain_bytes_max <= limits::record_bytes_max);
  const auto wanted = std::min(frames.size(), records_max - batch.records.size());
  const auto count = framer_.take_plain(window_, std::span(frames).first(wanted));
  if (count == 0) return false;
  keep_chunk(batch);
  for (size_t i = 0; i < count; ++i) {
    batch.records.push_back({frames[i], next_offset_++, static_cast<uint32_t>(next_file_ - 1)});
    batch.bytes += frames[i].size();
  }
  return true;
}

void FileSource::keep_chunk(RecordBatch& batch) const {
  if (batch.owners.empty() || batch.owners.back() != chunk_) batch.owners.push_back(chunk_);
}

void FileSource::append(RecordBatch& batch, const Frame& frame) {
  keep_chunk(batch);
  Record record{frame.bytes, next_offset_++, static_cast<uint32_t>(next_file_ - 1)};
  record.defect = frame.defect;
  if (files_[next_file_ - 1].format.framing == Framing::csv) {
    record.headers_begin = columns_index(batch);
    record.headers_count = 1;
  }
  batch.records.push_back(record);
  batch.bytes += frame.bytes.size();
}

// The column names of this file as a header of the batch, once.
uint32_t FileSource::columns_index(RecordBatch& batch) {
  if (!csv_columns_) csv_columns_ = std::make_shared<const std::string>(framer_.csv_columns());
  if (batch.headers.empty() || batch.headers.back().value.data() != csv_columns_->data()) {
    batch.headers.push_back({csv_columns_header, *csv_columns_});
    // Before the chunk, which stays last so that it is found.
    batch.owners.insert(batch.owners.begin(), csv_columns_);
  }
  return static_cast<uint32_t>(batch.headers.size() - 1);
}

}  // namespace gauger::ingest
