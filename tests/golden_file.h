// Committed golden files (tests/golden), made by other houses' clients.
#pragma once

#include <string>
#include <string_view>

namespace gauger::tests {

// The bytes of tests/golden/<name>.
std::string golden_file(std::string_view name);

}  // namespace gauger::tests
