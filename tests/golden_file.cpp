#include "tests/golden_file.h"

#include <fstream>
#include <iterator>

#include "tests/catch.h"

namespace gauger::tests {

std::string golden_file(std::string_view name) {
  std::ifstream file(std::string(GAUGER_GOLDEN) + "/" + std::string(name), std::ios::binary);
  INFO(name);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace gauger::tests
