#include "tools/gauger/text_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "schemas/limits.h"

namespace gauger::tools {

Result<std::string> read_text_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return invalid_argument("'" + path + "' is a directory, not a document");
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid_argument("cannot read '" + path + "': " + std::strerror(errno));
  if (std::filesystem::file_size(path, error) > limits::document_bytes_max && !error)
    return invalid_argument("'" + path + "' is larger than a document may be");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace gauger::tools
