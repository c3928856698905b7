#include "tools/load/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <system_error>

#include "schemas/limits.h"

namespace gauger::load {
namespace {
constexpr size_t chunk_bytes = size_t{64} << 10;
}  // namespace

struct LineReader::File {
  std::string path;
  gzFile stream = nullptr;  // reads plain files as they are
  ~File() {
    if (stream != nullptr) gzclose_r(stream);
  }
};

LineReader::LineReader() : file_(std::make_unique<File>()) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

Result<LineReader> LineReader::open(std::string path) {
  LineReader reader;
  reader.file_->path = path == "-" ? "standard input" : path;
  const int descriptor =
      path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return invalid_argument("cannot read " + reader.file_->path + ": " +
                            std::generic_category().message(errno));
  struct stat status {};
  if (::fstat(descriptor, &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      ::close(descriptor);
      return invalid_argument("cannot read " + path + ": it is a directory");
    }
    if (S_ISREG(status.st_mode)) reader.file_bytes_ = static_cast<uint64_t>(status.st_size);
  }
  reader.file_->stream = gzdopen(descriptor, "rb");
  if (reader.file_->stream == nullptr) {
    ::close(descriptor);
    return io_error("cannot read " + reader.file_->path);
  }
  return reader;
}

// Appends to the buffer; false at the end.
Result<bool> LineReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const auto used = buffer_.size();
  if (used > limits::record_bytes_max)
    return invalid_argument(file_->path + " line " + std::to_string(line_number_ + 1) +
                            " is longer than " + std::to_string(limits::record_bytes_max) +
                            " bytes");
  buffer_.resize(used + chunk_bytes);
  const int read = gzread(file_->stream, buffer_.data() + used, chunk_bytes);
  buffer_.resize(used + static_cast<size_t>(read > 0 ? read : 0));
  int code = Z_OK;
  const char* message = gzerror(file_->stream, &code);
  // Z_BUF_ERROR: the compressed stream ends before its own end.
  if (read < 0 || code == Z_BUF_ERROR)
    return invalid_argument("cannot read " + file_->path + " after line " +
                            std::to_string(line_number_) + ": " + message);
  return read > 0;
}

Result<std::optional<std::string_view>> LineReader::next() {
  size_t searched = begin_;
  for (;;) {
    const auto end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string_view line(buffer_.data() + begin_, end - begin_);
      begin_ = end + 1;
      ++line_number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      return line;
    }
    const auto unsearched = buffer_.size() - begin_;
    TRY(const bool more, fill());
    searched = unsearched;
    if (!more) break;
  }
  if (begin_ == buffer_.size()) return std::nullopt;
  std::string_view line(buffer_.data() + begin_, buffer_.size() - begin_);
  begin_ = buffer_.size();
  ++line_number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

uint64_t LineReader::file_bytes_read() const {
  const auto offset = gzoffset(file_->stream);
  return offset > 0 ? static_cast<uint64_t>(offset) : 0;
}

}  // namespace gauger::load
