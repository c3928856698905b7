#include "tests/shared_data.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/catch.h"

namespace gauger::tests {

std::string shared_data(std::string_view file) {
  const char* const given = std::getenv("GAUGER_SHARED_DATA");
  const std::filesystem::path directory = given != nullptr ? given : GAUGER_SHARED_DATA_DEFAULT;
  if (std::filesystem::is_directory(directory)) {
    const auto path = directory / file;
    INFO("the shared data lack " << file);
    REQUIRE(std::filesystem::exists(path));
    return path.string();
  }
  const char* const ci = std::getenv("CI");
  if (ci != nullptr && std::string_view(ci) == "true") FAIL("../shared/data is missing");
  std::printf("skipped: ../shared/data is not there\n");
  std::fflush(stdout);
  std::_Exit(77);
}

}  // namespace gauger::tests
