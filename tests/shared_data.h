// Real traces and price catalogues, which lie beside the repository in ../shared/data (or where
// GAUGER_SHARED_DATA says) and are not part of it. A stranger's clone has none: the test that
// asks for them then ends as skipped, by ctest's exit code 77, except with CI=true, where it
// fails. ctest runs every test in a process of its own, so no other test is lost by that.
#pragma once

#include <string>
#include <string_view>

namespace gauger::tests {

// Path of a file, e.g. shared_data("traces/azure_llm_2023_code.csv").
std::string shared_data(std::string_view file);

}  // namespace gauger::tests
