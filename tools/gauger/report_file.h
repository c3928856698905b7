// Files of providers: read whole, decompressed where they are gzip; "-" is the standard input.
#pragma once

#include <string>

#include "schemas/result.h"

namespace gauger::tools {

// invalid_argument, naming the file, when it cannot be read or is over statement_bytes_max.
Result<std::string> read_report_file(const std::string& path);

}  // namespace gauger::tools
