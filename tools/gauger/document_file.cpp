#include "tools/gauger/document_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "schemas/limits.h"

namespace gauger::tools {
namespace {

struct Close {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

std::string why() { return std::strerror(errno); }

}  // namespace

Result<std::string> read_document(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(path == "-" ? stdin
                                                           : std::fopen(path.c_str(), "rb"));
  if (!file) return invalid_argument("cannot read '" + path + "': " + why());
  std::string text;
  std::array<char, 65'536> buffer{};
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), count);
    if (text.size() > limits::document_bytes_max)
      return invalid_argument("'" + path + "' is larger than " +
                              std::to_string(limits::document_bytes_max) + " bytes");
  }
  if (std::ferror(file.get()) != 0) return io_error("cannot read '" + path + "': " + why());
  return text;
}

Result<void> write_document(const std::string& path, std::string_view text) {
  if (path.empty()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      return io_error("cannot write to standard output: " + why());
    return success();
  }
  const auto part = path + ".part";
  std::FILE* const file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) return io_error("cannot write '" + part + "': " + why());
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written || std::rename(part.c_str(), path.c_str()) != 0) {
    const auto error = io_error("cannot write '" + path + "': " + why());
    std::remove(part.c_str());
    return error;
  }
  return success();
}

}  // namespace gauger::tools
