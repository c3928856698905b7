// Documents of people: read whole from a file, or from standard input as "-"; written whole to
// a file, or to standard output where no file is named.
#pragma once

#include <string>
#include <string_view>

#include "schemas/result.h"

namespace gauger::tools {

Result<std::string> read_document(const std::string& path);
// A file that cannot be written whole is not left behind half.
Result<void> write_document(const std::string& path, std::string_view text);

}  // namespace gauger::tools
