// The bytes of one file, decompressed. Private to ingest.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "ingest/file_source.h"
#include "schemas/result.h"

namespace gauger::ingest {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Reads at least one and at most `size` bytes; 0 at the end.
  virtual Result<size_t> read(char* into, size_t size) = 0;
};

// A file descriptor, which it closes unless it is the standard input.
class FileDescriptor {
 public:
  static Result<FileDescriptor> open(const std::string& path);
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor();

  int get() const { return fd_; }

 private:
  int fd_;
};

// `bytes_done` counts what was read of the file itself.
std::unique_ptr<ByteStream> make_byte_stream(const FileDescriptor& file, const std::string& path,
                                             Compression compression,
                                             std::atomic<int64_t>& bytes_done);

}  // namespace gauger::ingest
