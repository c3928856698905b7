// Reading a document the user named.
#pragma once

#include <string>

#include "schemas/result.h"

namespace gauger::tools {

// invalid_argument, naming the file, when it cannot be read or is over document_bytes_max.
Result<std::string> read_text_file(const std::string& path);

}  // namespace gauger::tools
