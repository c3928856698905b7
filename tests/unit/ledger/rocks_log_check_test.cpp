// Why: RocksDB takes some damage for the end of a log, and a writer deletes what it no longer
// knows. How: the logs of a real store, one bit of each record's header turned over.
#include "ledger/rocks_log_check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "ledger/rocks_store.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ledger;

namespace {

// A store with some records in its manifest and its write-ahead log.
class StoreOnDisk {
 public:
  StoreOnDisk() {
    path_ = std::filesystem::temp_directory_path() /
            ("gauger-log-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(path_);
    const auto store = RocksStore::open(path_ / "store", {}).value();
    for (int i = 0; i < 9; ++i) {
      WriteSet writes;
      // One of them fills more than a block of the log.
      writes.put(Family::journal, std::to_string(i), std::string(i == 4 ? 50'000 : 100, 'x'));
      REQUIRE(store->write(writes).has_value());
    }
    REQUIRE(store->sync().has_value());
  }
  ~StoreOnDisk() { std::filesystem::remove_all(path_); }

  std::filesystem::path directory() const { return path_ / "store"; }
  std::filesystem::path manifest() const {
    std::string name;
    std::ifstream(directory() / "CURRENT") >> name;
    return directory() / name;
  }
  std::filesystem::path log() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory()))
      if (entry.path().extension() == ".log") return entry.path();
    return {};
  }

 private:
  std::filesystem::path path_;
};

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Where the records of a log begin.
std::vector<size_t> records_of(const std::string& log) {
  std::vector<size_t> records;
  for (size_t at = 0; at + 7 <= log.size();) {
    const auto left = 32'768 - at % 32'768;
    if (left < 7) {
      at += left;
      continue;
    }
    records.push_back(at);
    at += 7 + static_cast<uint8_t>(log[at + 4]) + 256U * static_cast<uint8_t>(log[at + 5]);
  }
  return records;
}

using Check = Result<void> (*)(const std::filesystem::path&, const Disk&);

void turn_bits(const StoreOnDisk& store, const std::filesystem::path& path, Check check) {
  const auto passes = [&] { return check(store.directory(), Disk::machine()).has_value(); };
  CHECK(passes());
  const auto sound = content(path);
  const auto refused_with = [&](size_t byte, int bit) {
    auto damaged = sound;
    damaged[byte] = static_cast<char>(damaged[byte] ^ bit);
    write(path, damaged);
    const auto checked = check(store.directory(), Disk::machine());
    return !checked && checked.error().code == ErrorCode::corruption &&
           checked.error().sentence.find(path.string()) != std::string::npos &&
           !RocksStore::open(store.directory(), {}) && content(path) == damaged;
  };
  const auto records = records_of(sound);
  REQUIRE(records.size() > 5);
  for (const auto at : records) {
    INFO(path << " record at " << at << " of " << sound.size());
    CHECK(refused_with(at + 6, 0x04));  // the type: of a file that is used again
    const auto rest = std::min(32'768 - at % 32'768, sound.size() - at);
    const auto length =
        static_cast<uint8_t>(sound[at + 4]) + 256U * static_cast<uint8_t>(sound[at + 5]);
    if (7 + (length ^ 0x4000U) > rest) CHECK(refused_with(at + 5, 0x40));  // beyond the end
  }
  // As a crash leaves it.
  for (size_t cut = 1; cut < 40; ++cut) {
    write(path, std::string_view(sound).substr(0, sound.size() - cut));
    CHECK(passes());
  }
  write(path, sound + std::string(100, '\0'));
  CHECK(passes());
  write(path, sound);
  CHECK(RocksStore::open(store.directory(), {}).has_value());
}

}  // namespace

TEST_CASE("a turned bit that hides the rest of the manifest is refused", "[ledger]") {
  const StoreOnDisk store;
  turn_bits(store, store.manifest(), check_manifest);
}

TEST_CASE("a turned bit that hides the rest of a write-ahead log is refused", "[ledger]") {
  const StoreOnDisk store;
  turn_bits(store, store.log(), check_write_ahead_logs);
}
