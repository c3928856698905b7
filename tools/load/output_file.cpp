#include "tools/load/output_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "tools/load/event_encoder.h"

namespace gauger::load {
namespace {

constexpr size_t buffer_bytes = size_t{1} << 20;
constexpr int gzip_level = 6;

bool write_all(int descriptor, const char* bytes, size_t size) {
  while (size > 0) {
    const auto written = ::write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

struct OutputFile::File {
  std::string path;
  std::string path_while_writing;  // empty for standard output
  int descriptor = -1;
  gzFile compressed = nullptr;  // owns the descriptor where there is one
  std::string failure;

  void note_failure() {
    if (failure.empty())
      failure = "cannot write " + path + ": " + std::generic_category().message(errno);
  }

  bool write(const char* bytes, size_t size) {
    const bool ok = compressed != nullptr
                        ? size == 0 || gzwrite(compressed, bytes, static_cast<unsigned>(size)) > 0
                        : write_all(descriptor, bytes, size);
    if (!ok) note_failure();
    return ok;
  }

  void close() {
    if (compressed != nullptr) {
      if (gzclose(compressed) != Z_OK) note_failure();
    } else if (descriptor > STDERR_FILENO) {
      if (::close(descriptor) != 0) note_failure();
    }
    compressed = nullptr;
    descriptor = -1;
  }

  ~File() {
    close();
    if (!path_while_writing.empty()) ::unlink(path_while_writing.c_str());
  }
};

OutputFile::OutputFile() : buffer_(new char[buffer_bytes]), capacity_(buffer_bytes) {}
OutputFile::~OutputFile() = default;
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;

Result<OutputFile> OutputFile::create(std::string path) {
  OutputFile output;
  output.file_ = std::make_unique<File>();
  auto& file = *output.file_;
  file.path = std::move(path);
  if (file.path == "-") {
    file.path = "standard output";
    file.descriptor = STDOUT_FILENO;
    return output;
  }
  const auto name = file.path + ".partial";
  file.descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file.descriptor < 0) {
    // A directory that is not there is a mistake in a flag, not a failing disk.
    return invalid_argument("cannot create " + name + ": " +
                            std::generic_category().message(errno));
  }
  file.path_while_writing = name;
  if (file.path.ends_with(".gz")) {
    const auto mode = "wb" + std::to_string(gzip_level);
    file.compressed = gzdopen(file.descriptor, mode.c_str());
    if (file.compressed == nullptr) return io_error("cannot compress " + file.path);
  }
  return output;
}

void OutputFile::flush() {
  if (!failed_ && used_ > 0) failed_ = !file_->write(buffer_.get(), used_);
  used_ = 0;
}

void OutputFile::make_room(size_t bytes) {
  flush();
  if (bytes <= capacity_) return;
  buffer_.reset(new char[bytes]);
  capacity_ = bytes;
}

void OutputFile::write(std::string_view bytes) {
  char* const out = room_for(bytes.size());
  std::memcpy(out, bytes.data(), bytes.size());
  advance_to(out + bytes.size());
}

void OutputFile::write(const UsageEvent& event, EventFormat format) {
  char* const out = room_for(encoded_bytes_max(event));
  advance_to(format == EventFormat::jsonl ? encode_json_line(event, out)
                                          : encode_delimited_protobuf(event, out));
}

Result<void> OutputFile::finish() {
  flush();
  auto& file = *file_;
  file.close();
  if (file.failure.empty() && !file.path_while_writing.empty()) {
    if (std::rename(file.path_while_writing.c_str(), file.path.c_str()) == 0)
      file.path_while_writing.clear();
    else
      file.note_failure();
  }
  if (!file.failure.empty()) return io_error(file.failure);
  return success();
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
  TRY(auto file, OutputFile::create(path));
  file.write(bytes);
  return file.finish();
}

}  // namespace gauger::load
