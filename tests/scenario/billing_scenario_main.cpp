// Runs scenario files and compares; with --print it prints what came out instead, for the second
// implementation in tests/property/rating_oracle.py.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/scenario/billing_scenario.h"

namespace {

int check(const std::string& path, const std::vector<gauger::billing::Scenario>& scenarios) {
  int failed = 0;
  for (const auto& scenario : scenarios) {
    if (scenario.actual == scenario.expected) continue;
    ++failed;
    std::printf("%s: %s\n--- expected\n%s--- came\n%s\n", path.c_str(), scenario.title.c_str(),
                scenario.expected.c_str(), scenario.actual.c_str());
  }
  std::printf("%s: %zu cases, %d failed\n", path.c_str(), scenarios.size(), failed);
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  const bool print = !paths.empty() && paths.front() == "--print";
  if (print) paths.erase(paths.begin());
  int failed = 0;
  for (const auto& path : paths) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto scenarios = gauger::billing::run_scenarios(text, path);
    if (!scenarios.has_value()) {
      std::fprintf(stderr, "%s\n", scenarios.error().sentence.c_str());
      return 2;
    }
    if (!print) {
      failed += check(path, scenarios.value());
      continue;
    }
    for (const auto& scenario : scenarios.value())
      std::cout << "case " << scenario.title << "\n" << scenario.actual;
  }
  return failed == 0 ? 0 : 1;
}
