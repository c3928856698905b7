#include "tests/unit/load/scratch.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>

namespace gauger::tests {

ScratchDirectory::ScratchDirectory() {
  auto pattern = (std::filesystem::temp_directory_path() / "gauger-test-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchDirectory::write(const std::string& name, std::string_view bytes) const {
  std::ofstream(file(name), std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file(name);
}

std::string read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  INFO(path);
  REQUIRE(stream.is_open());
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string read_gzip(const std::string& path) {
  const auto stream = gzopen(path.c_str(), "rb");
  REQUIRE(stream != nullptr);
  REQUIRE(gzdirect(stream) == 0);
  std::string bytes;
  std::string chunk(1U << 16, '\0');
  for (int read = 0; (read = gzread(stream, chunk.data(), 1U << 16)) > 0;)
    bytes.append(chunk, 0, static_cast<size_t>(read));
  REQUIRE(gzclose(stream) == Z_OK);
  return bytes;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

v1::UsageEvent event_of_json(const std::string& line) {
  v1::UsageEvent event;
  const auto status = google::protobuf::util::JsonStringToMessage(line, &event);
  INFO(line);
  REQUIRE(status.ok());
  return event;
}

std::vector<v1::UsageEvent> events_of_protobuf(const std::string& bytes) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  std::vector<v1::UsageEvent> events;
  for (;;) {
    v1::UsageEvent event;
    bool clean_end = false;
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&event, &stream, &clean_end)) {
      REQUIRE(clean_end);
      return events;
    }
    events.push_back(std::move(event));
  }
}

int64_t count_of(const v1::UsageEvent& event, std::string_view meter) {
  const auto* field = v1::UsageEvent::descriptor()->FindFieldByName(std::string(meter));
  REQUIRE(field != nullptr);
  return event.GetReflection()->GetInt64(event, field);
}

}  // namespace gauger::tests
