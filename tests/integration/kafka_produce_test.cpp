// Why: what the tools send is what the ledger is measured by. How: files of lines into a real
// topic and back.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "ingest/kafka_source.h"
#include "tests/catch.h"
#include "tests/kafka_broker.h"
#include "tools/load/produce.h"

using namespace gauger;
using namespace gauger::tests;
using namespace std::chrono_literals;

namespace {

constexpr int lines = 1000;

class LineFile {
 public:
  LineFile() {
    auto pattern = (std::filesystem::temp_directory_path() / "gauger-lines-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    std::ofstream file(path());
    for (int i = 0; i < lines; ++i) file << "{\"id\":\"" << i << "\"}\n";
  }
  ~LineFile() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  std::string path() const { return directory_ + "/events.jsonl"; }

 private:
  std::string directory_;
};

load::ProduceOptions options_for(const std::string& bootstrap, const LineFile& file) {
  load::ProduceOptions options;
  options.connection.brokers = bootstrap;
  options.topic = topic_name("produce");
  options.partitions = 3;
  options.files = {file.path()};
  return options;
}

// The records of each partition, in order.
std::vector<std::vector<std::string>> read_back(const load::ProduceOptions& options) {
  ingest::KafkaConfig config;
  config.connection = options.connection;
  config.topic = options.topic;
  config.until_end = true;
  auto source = ingest::KafkaSource::connect(config).value();
  REQUIRE(source->start({}).has_value());
  std::vector<std::vector<std::string>> values(source->partitions().size());
  ingest::RecordBatch batch;
  for (int polls = 0; polls < 200 && !batch.at_end; ++polls) {
    batch.clear();
    REQUIRE(source->poll(batch, 10'000, 1U << 20, 100ms).has_value());
    for (const auto& record : batch.records) values[record.partition].emplace_back(record.bytes);
  }
  CHECK(batch.at_end);
  return values;
}

std::multiset<std::string> all_of(const std::vector<std::vector<std::string>>& partitions) {
  std::multiset<std::string> all;
  for (const auto& values : partitions) all.insert(values.begin(), values.end());
  return all;
}

}  // namespace

TEST_CASE("every line of a file becomes one record of the topic", "[integration][kafka]") {
  const LineFile file;
  auto options = options_for(kafka_bootstrap(), file);
  CHECK(load::produce(options).value().records == lines);
  const auto first = read_back(options);
  const auto all = all_of(first);
  CHECK(all.size() == lines);
  CHECK(std::set(all.begin(), all.end()).size() == lines);
  for (const auto& values : first) CHECK(values.size() > lines / 4);
  // Once more, into the topic that exists by now.
  options.partitions = 0;
  CHECK(load::produce(options).value().records == lines);
  CHECK(all_of(read_back(options)).size() == 2 * lines);
}

TEST_CASE("a shuffle changes the order and nothing else", "[integration][kafka]") {
  const LineFile file;
  auto options = options_for(kafka_bootstrap(), file);
  options.partitions = 1;
  REQUIRE(load::produce(options).has_value());
  const auto in_order = read_back(options);
  options.topic = topic_name("shuffled");
  options.shuffle = 7;
  REQUIRE(load::produce(options).has_value());
  const auto shuffled = read_back(options);
  CHECK(shuffled != in_order);
  CHECK(all_of(shuffled) == all_of(in_order));
  options.topic = topic_name("again");
  REQUIRE(load::produce(options).has_value());
  CHECK(read_back(options) == shuffled);
}

TEST_CASE("by hash equal records meet in one partition, by key all do", "[integration][kafka]") {
  const LineFile file;
  auto options = options_for(kafka_bootstrap(), file);
  options.spread = load::Spread::hash;
  REQUIRE(load::produce(options).has_value());
  REQUIRE(load::produce(options).has_value());
  const auto by_hash = read_back(options);
  CHECK(all_of(by_hash).size() == 2 * lines);
  for (const auto& values : by_hash) {
    CHECK(values.size() > lines / 4);
    for (const auto& value : values) REQUIRE(std::ranges::count(values, value) == 2);
  }
  options.topic = topic_name("by-key");
  options.spread = load::Spread::key;
  options.key = "default";
  REQUIRE(load::produce(options).has_value());
  const auto by_key = read_back(options);
  CHECK(std::ranges::count_if(by_key, [](const auto& values) { return values.empty(); }) == 2);
  CHECK(all_of(by_key).size() == lines);
}

TEST_CASE("a topic of another partition count or of none is named", "[integration][kafka]") {
  const LineFile file;
  auto options = options_for(kafka_bootstrap(), file);
  options.partitions = 0;
  CHECK(load::produce(options).error().code == ErrorCode::not_found);
  options.partitions = 3;
  REQUIRE(load::produce(options).has_value());
  options.partitions = 4;
  const auto refused = load::produce(options);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().sentence.find("exists with 3 partitions, not 4") != std::string::npos);
}
