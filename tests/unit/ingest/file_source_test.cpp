// Why: files are how a month is loaded and how quarantine is replayed; no record may be lost
// between chunks, compression and the ends of files.
// How: real files in a temporary directory, read with the smallest chunks there are.
#include "ingest/file_source.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

struct Directory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("gauger-file-source-" + std::to_string(::getpid()));
  Directory() { std::filesystem::create_directories(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return path / name;
  }
};

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  auto input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

struct Read {
  std::vector<std::vector<std::string>> records;  // by partition
  std::vector<RejectReason> defects;
  std::string error;
};

// Reads everything in small batches; every batch is kept until the end, as a pipeline may.
Read read_all(FileSource& source, size_t records_max = 7) {
  Read result;
  result.records.resize(source.partitions().size());
  std::vector<RecordBatch> batches;
  for (;;) {
    auto& batch = batches.emplace_back();
    const auto polled =
        source.poll(batch, records_max, size_t{1} << 20U, std::chrono::milliseconds{10});
    if (!polled) {
      result.error = polled.error().sentence;
      CHECK(batch.records.empty());
    }
    if (!polled || batch.at_end) break;
  }
  for (const auto& batch : batches) {
    CHECK(batch.records.size() <= records_max);
    size_t bytes = 0;
    for (const auto& record : batch.records) {
      auto& records = result.records[record.partition];
      CHECK(record.offset == static_cast<int64_t>(records.size()));
      records.emplace_back(record.bytes);
      if (record.defect != RejectReason::none) result.defects.push_back(record.defect);
      bytes += record.bytes.size();
    }
    CHECK(batch.bytes == bytes);
  }
  return result;
}

Read read_files(std::vector<std::string> paths) {
  FileSource::Config config;
  config.paths = std::move(paths);
  config.chunk_bytes = 1;
  auto source = FileSource::open(config);
  REQUIRE(source.has_value());
  auto result = read_all(*source.value());
  if (result.error.empty()) CHECK(source.value()->bytes_done() == source.value()->bytes_total());
  return result;
}

std::vector<std::string> numbered(size_t count) {
  std::vector<std::string> records;
  for (size_t i = 0; i < count; ++i)
    records.push_back(std::to_string(i) + std::string(i % 250, '.'));
  return records;
}

std::string lines(const std::vector<std::string>& records) {
  std::string result;
  for (const auto& record : records) result += record + "\n";
  return result;
}

}  // namespace

TEST_CASE("several files are partitions, read one after another", "[ingest]") {
  const Directory directory;
  const auto records = numbered(40'000);  // some megabytes: several chunks
  const auto a = directory.write("a.jsonl", lines(records));
  const auto b = directory.write("b.ndjson", "x\r\n\r\ny");
  const auto c = directory.write("c.json", "");
  const auto found = read_files({a, b, c});
  CHECK(found.error == "");
  CHECK(found.records[0] == records);
  CHECK(found.records[1] == std::vector<std::string>{"x", "y"});
  CHECK(found.records[2].empty());
}

TEST_CASE("files are decompressed by suffix, members and frames joined", "[ingest]") {
  const Directory directory;
  const auto records = numbered(40'000);
  const auto text = lines(records);
  const auto half = text.size() / 2;
  const auto a = directory.write("a.jsonl.gz", gzip(text));
  const auto b =
      directory.write("b.jsonl.gz", gzip(text.substr(0, half)) + gzip(text.substr(half)));
  const auto c = directory.write("c.jsonl.zst", zstd(text));
  const auto d =
      directory.write("d.jsonl.zst", zstd(text.substr(0, half)) + zstd(text.substr(half)));
  const auto found = read_files({a, b, c, d});
  CHECK(found.error == "");
  for (const auto& partition : found.records) CHECK(partition == records);
}

TEST_CASE("a damaged or cut off compressed file is an error after its records", "[ingest]") {
  const Directory directory;
  const auto records = numbered(3'000);
  for (const auto& [name, bytes] :
       {std::pair{"a.jsonl.gz", gzip(lines(records))}, {"b.jsonl.zst", zstd(lines(records))}}) {
    const auto cut = read_files({directory.write(name, bytes.substr(0, bytes.size() - 9))});
    CHECK(cut.error.find("ends within its compressed data") != std::string::npos);
    CHECK(cut.records[0].size() > 1000);
    auto flipped = bytes;
    flipped[flipped.size() / 2] ^= 0x55;
    CHECK(read_files({directory.write(name, flipped)}).error.find("is damaged") !=
          std::string::npos);
    CHECK(read_files({directory.write(name, "plain text\n")}).error.find("is damaged") !=
          std::string::npos);
    CHECK_FALSE(read_files({directory.write(name, "")}).error.empty());
  }
}

TEST_CASE("a protobuf file that ends within a record gives it as a defect", "[ingest]") {
  const Directory directory;
  const auto found = read_files({directory.write("a.pb", std::string("\x03") + "abc\x05" + "de")});
  CHECK(found.records[0] == std::vector<std::string>{"abc", "de"});
  CHECK(found.defects == std::vector<RejectReason>{RejectReason::undecodable});
}

TEST_CASE("a record that is too large is a defect and the file goes on", "[ingest]") {
  const Directory directory;
  const std::string large(3 * limits::record_bytes_max, 'x');
  const auto found = read_files({directory.write("a.jsonl", "1\n" + large + "\n2\n")});
  REQUIRE(found.records[0].size() == 3);
  CHECK(found.records[0][1].size() == limits::record_bytes_max + 1);
  CHECK(found.records[0][2] == "2");
  CHECK(found.defects == std::vector<RejectReason>{RejectReason::record_too_large});
}

TEST_CASE("CSV rows carry the columns of their own file", "[ingest]") {
  const Directory directory;
  FileSource::Config config;
  config.paths = {directory.write("a.csv", "id,n\n1,2\n3,4\n"), directory.write("b.csv", "n\n5\n")};
  auto source = FileSource::open(config).value();
  RecordBatch batch;
  REQUIRE(source->poll(batch, 100, 1000, std::chrono::milliseconds{0}).has_value());
  source.reset();
  REQUIRE(batch.records.size() == 3);
  const auto columns = [&](const Record& record) {
    REQUIRE(record.headers_count == 1);
    return batch.headers[record.headers_begin].value;
  };
  CHECK(columns(batch.records[0]) == "id,n");
  CHECK(columns(batch.records[1]) == "id,n");
  CHECK(columns(batch.records[2]) == "n");
}

TEST_CASE("files that cannot be meant are refused before anything is read", "[ingest]") {
  const Directory directory;
  const auto good = directory.write("a.jsonl", "{}\n");
  const auto refusal = [&](std::vector<std::string> paths) {
    FileSource::Config config;
    config.paths = std::move(paths);
    const auto opened = FileSource::open(config);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::invalid_argument);
    return opened.error().sentence;
  };
  CHECK(refusal({}) == "no file is named");
  CHECK(refusal({good, good}).find("named twice") != std::string::npos);
  CHECK(refusal({good, directory.path / "none.jsonl"}).find("No such file") != std::string::npos);
  CHECK(refusal({directory.write("b.txt", "")}).find("suffix") != std::string::npos);
  std::filesystem::create_directory(directory.path / "d.jsonl");
  CHECK(refusal({directory.path / "d.jsonl"}).find("is a directory") != std::string::npos);
}

TEST_CASE("a pipe that has nothing to say does not hold up what it said before", "[ingest]") {
  const Directory directory;
  const std::string path = directory.path / "pipe.jsonl";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  FileSource::Config config;
  config.paths = {path};
  auto source = FileSource::open(config).value();
  std::atomic<bool> read_one = false;
  std::thread writer([&] {
    std::ofstream pipe(path);
    pipe << "1\n2" << std::flush;
    while (!read_one) std::this_thread::yield();
    pipe << "2\n";
  });
  RecordBatch batch;
  while (batch.records.empty())
    REQUIRE(source->poll(batch, 100, 1000, std::chrono::milliseconds{50}).has_value());
  CHECK(batch.records.size() == 1);
  read_one = true;
  RecordBatch rest;
  while (!rest.at_end)
    REQUIRE(source->poll(rest, 100, 1000, std::chrono::milliseconds{50}).has_value());
  writer.join();
  REQUIRE(rest.records.size() == 1);
  CHECK(rest.records[0].bytes == "22");
}
