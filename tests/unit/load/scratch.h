// Files that the tests of gauger-load write and read.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "schemas/usage_event.pb.h"
#include "tests/catch.h"

namespace gauger::tests {

// A directory of its own per test, removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, std::string_view bytes) const;

 private:
  std::string path_;
};

std::string read_bytes(const std::string& path);
std::string read_gzip(const std::string& path);
std::vector<std::string> lines_of(const std::string& text);

// Both through libprotobuf, strictly: anything that is not an event fails the test.
v1::UsageEvent event_of_json(const std::string& line);
std::vector<v1::UsageEvent> events_of_protobuf(const std::string& bytes);

// One of the twelve meters; zero where absent.
int64_t count_of(const v1::UsageEvent& event, std::string_view meter);

}  // namespace gauger::tests
