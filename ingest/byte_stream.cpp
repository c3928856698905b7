#include "ingest/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace gauger::ingest {
namespace {

constexpr size_t compressed_bytes = size_t{1} << 18U;  // read at once

class PlainStream final : public ByteStream {
 public:
  PlainStream(int fd, std::string path, std::atomic<int64_t>& bytes_done)
      : fd_(fd), path_(std::move(path)), bytes_done_(bytes_done) {}

  Result<size_t> read(char* into, size_t size) override {
    for (;;) {
      const auto count = ::read(fd_, into, size);
      if (count >= 0) {
        bytes_done_ += count;
        return static_cast<size_t>(count);
      }
      if (errno != EINTR)
        return io_error(fmt::format("reading {}: {}", path_, std::strerror(errno)));
    }
  }

 private:
  int fd_;
  std::string path_;
  std::atomic<int64_t>& bytes_done_;
};

// What gzip and zstd share: a buffer of compressed bytes in front of the decompressor.
class CompressedStream : public ByteStream {
 public:
  CompressedStream(int fd, const std::string& path, std::atomic<int64_t>& bytes_done)
      : file_(fd, path, bytes_done), path_(path), buffer_(compressed_bytes) {}

  Result<size_t> read(char* into, size_t size) override {
    for (;;) {
      if (next_ == end_ && !file_ended_) {
        TRY(const auto count, file_.read(buffer_.data(), buffer_.size()));
        next_ = 0;
        end_ = count;
        file_ended_ = count == 0;
      }
      TRY(const auto count, decompress(into, size));
      if (count > 0) return count;
      if (next_ < end_ || !file_ended_) continue;
      if (!is_complete())
        return corruption(fmt::format("{} ends within its compressed data", path_));
      return size_t{0};
    }
  }

 protected:
  // Decompresses from the buffer, advancing next_.
  virtual Result<size_t> decompress(char* into, size_t size) = 0;
  // Whether the compressed data may end here.
  virtual bool is_complete() const = 0;

  Error damaged(std::string_view why) const {
    return corruption(fmt::format("{} is damaged: {}", path_, why));
  }
  const char* next() const { return buffer_.data() + next_; }
  size_t available() const { return end_ - next_; }
  void advance_to_remaining(size_t remaining) { next_ = end_ - remaining; }

 private:
  PlainStream file_;
  std::string path_;
  std::vector<char> buffer_;
  size_t next_ = 0;
  size_t end_ = 0;
  bool file_ended_ = false;
};

class GzipStream final : public CompressedStream {
 public:
  using CompressedStream::CompressedStream;
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  ~GzipStream() override {
    if (initialized_) inflateEnd(&stream_);
  }

 private:
  Result<size_t> decompress(char* into, size_t size) override {
    constexpr int gzip_window_bits = 15 + 16;
    if (!initialized_) {
      if (inflateInit2(&stream_, gzip_window_bits) != Z_OK)
        return io_error("zlib cannot be initialized");
      initialized_ = true;
    }
    // A file may hold several members, one after another.
    if (member_ended_ && available() > 0) {
      inflateReset(&stream_);
      member_ended_ = false;
    }
    if (available() == 0) return size_t{0};
    // zlib does not write to its input, but does not say so.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(next()));
    stream_.avail_in = static_cast<uInt>(available());
    stream_.next_out = reinterpret_cast<Bytef*>(into);
    stream_.avail_out = static_cast<uInt>(size);
    const auto status = inflate(&stream_, Z_NO_FLUSH);
    advance_to_remaining(stream_.avail_in);
    if (status == Z_STREAM_END)
      member_ended_ = true;
    else if (status != Z_OK && status != Z_BUF_ERROR)
      return damaged(stream_.msg != nullptr ? stream_.msg : "not gzip data");
    return size - stream_.avail_out;
  }

  bool is_complete() const override { return member_ended_; }

  z_stream stream_{};
  bool initialized_ = false;
  bool member_ended_ = false;
};

class ZstdStream final : public CompressedStream {
 public:
  using CompressedStream::CompressedStream;

 private:
  Result<size_t> decompress(char* into, size_t size) override {
    ZSTD_inBuffer input{next(), available(), 0};
    ZSTD_outBuffer output{into, size, 0};
    const auto status = ZSTD_decompressStream(stream_.get(), &output, &input);
    if (ZSTD_isError(status) != 0) return damaged(ZSTD_getErrorName(status));
    advance_to_remaining(input.size - input.pos);
    // Between frames the hint is 0; a call without input or output says nothing new.
    if (input.pos > 0 || output.pos > 0) frame_ended_ = status == 0;
    return output.pos;
  }

  bool is_complete() const override { return frame_ended_; }

  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  bool frame_ended_ = false;
};

}  // namespace

Result<FileDescriptor> FileDescriptor::open(const std::string& path) {
  if (path == "-") return FileDescriptor(STDIN_FILENO);
  const auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return invalid_argument(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return FileDescriptor(fd);
}

FileDescriptor::~FileDescriptor() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

std::unique_ptr<ByteStream> make_byte_stream(const FileDescriptor& file, const std::string& path,
                                             Compression compression,
                                             std::atomic<int64_t>& bytes_done) {
  switch (compression) {
    case Compression::none: break;
    case Compression::gzip: return std::make_unique<GzipStream>(file.get(), path, bytes_done);
    case Compression::zstd: return std::make_unique<ZstdStream>(file.get(), path, bytes_done);
  }
  return std::make_unique<PlainStream>(file.get(), path, bytes_done);
}

}  // namespace gauger::ingest
