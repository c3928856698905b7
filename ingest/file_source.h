// Files as a source of records: each path is one partition, named after the path, and offsets
// are ordinals of records. Reads in pieces of some megabytes, decompresses on the way, and hands
// out views.
//
// A file that ends within a record gives that record as a defect. A compressed file that is
// damaged or cut off is an error once all its whole records were handed over: more was written
// than can be read. Used from one thread; the counters of bytes may be read from any.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/chunks.h"
#include "ingest/framing.h"
#include "ingest/source.h"

namespace gauger::ingest {

enum class Compression : uint8_t { none, gzip, zstd };

// What a file holds.
struct FileFormat {
  Compression compression = Compression::none;
  Framing framing = Framing::lines;
  std::string_view decoder;  // a name for make_decoder (ingest/formats.h)
};

// By suffix, .gz and .zst taken off first: .jsonl and .ndjson are lines of JSON, .json JSON
// values, .pb and .binpb length-delimited protobuf, .csv rows. Anything else is refused.
Result<FileFormat> file_format(std::string_view path);

class FileSource final : public Source {
 public:
  struct Config {
    std::vector<std::string> paths;          // "-" is the standard input
    std::optional<Framing> framing;          // else by suffix; "-" without one is lines
    std::optional<Compression> compression;  // else by suffix
    size_t chunk_bytes = size_t{4} << 20U;   // read at once
  };

  // Refuses what cannot be opened, before anything is read.
  static Result<std::unique_ptr<FileSource>> open(Config config);
  ~FileSource() override;

  const std::vector<PartitionName>& partitions() const override { return partitions_; }
  Result<void> poll(RecordBatch& batch, size_t records_max, size_t bytes_max,
                    std::chrono::milliseconds wait) override;

  // Bytes of the files as they lie on disk. The total is 0 where it cannot be known.
  int64_t bytes_done() const { return bytes_done_; }
  int64_t bytes_total() const { return bytes_total_; }

 private:
  struct File {
    std::string path;
    FileFormat format;
  };
  struct Stream;

  FileSource(Config config, std::vector<File> files, int64_t bytes_total);

  Result<void> open_next();
  Result<void> refill();
  bool is_ready(std::chrono::milliseconds wait) const;
  bool append_plain(RecordBatch& batch, size_t records_max);
  void append(RecordBatch& batch, const Frame& frame);
  void keep_chunk(RecordBatch& batch) const;
  uint32_t columns_index(RecordBatch& batch);

  Config config_;
  std::vector<File> files_;
  std::vector<PartitionName> partitions_;
  int64_t bytes_total_;
  std::atomic<int64_t> bytes_done_ = 0;

  // The file being read: files_[next_file_ - 1].
  size_t next_file_ = 0;
  std::unique_ptr<Stream> stream_;
  Framer framer_{Framing::lines};
  int64_t next_offset_ = 0;
  bool last_ = false;  // the stream has given its last byte

  // chunk_ holds filled_ bytes; window_ is what the framer has not taken of them.
  Chunks chunks_;
  std::shared_ptr<char[]> chunk_;
  size_t filled_ = 0;
  std::string_view window_;
  std::shared_ptr<const std::string> csv_columns_;

  std::optional<Error> failed_;  // to be answered by the next poll
};

}  // namespace gauger::ingest
