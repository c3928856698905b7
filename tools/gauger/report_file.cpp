#include "tools/gauger/report_file.h"

#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "schemas/limits.h"

namespace gauger::tools {
namespace {

struct Close {
  void operator()(gzFile file) const { gzclose(file); }
};

constexpr unsigned chunk_bytes = 4U << 20;

}  // namespace

Result<std::string> read_report_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return invalid_argument("'" + path + "' is a directory, not a file");
  const std::unique_ptr<gzFile_s, Close> file(path == "-" ? gzdopen(dup(STDIN_FILENO), "rb")
                                                          : gzopen(path.c_str(), "rb"));
  if (file == nullptr)
    return invalid_argument("cannot read '" + path + "': " + std::strerror(errno));
  std::string text;
  while (true) {
    const auto size = text.size();
    text.resize(size + chunk_bytes);
    const auto read = gzread(file.get(), text.data() + size, chunk_bytes);
    text.resize(size + static_cast<size_t>(read > 0 ? read : 0));
    if (text.size() > limits::statement_bytes_max)
      return invalid_argument("'" + path + "' is larger than " +
                              std::to_string(limits::statement_bytes_max) + " bytes");
    int code = Z_OK;
    const auto* message = gzerror(file.get(), &code);
    if (read < 0 || (read == 0 && code == Z_BUF_ERROR))
      return invalid_argument("cannot read '" + path +
                              "': " + (code == Z_ERRNO ? std::strerror(errno) : message));
    if (read == 0) return text;
  }
}

}  // namespace gauger::tools
