// Why: what RocksDB does by itself does not suit keys that only grow. How: a real store, started
// again and again.
#include "ledger/rocks_store.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "ledger/block.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ledger;

TEST_CASE("a store that is started a hundred times keeps few files", "[ledger]") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("gauger-store-" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(path);
  constexpr uint64_t starts = 100;
  std::ptrdiff_t files_max = 0;
  for (uint64_t start = 0; start < starts; ++start) {
    const auto store = RocksStore::open(path / "store", {}).value();
    WriteSet writes;
    for (const auto family : {Family::journal, Family::identities})
      writes.put(family, encode(BlockKey{start, start}), "block " + std::to_string(start));
    REQUIRE(store->write(writes).has_value());
    REQUIRE(store->sync().has_value());
    files_max = std::max(files_max,
                         std::count_if(std::filesystem::directory_iterator(path / "store"),
                                       std::filesystem::directory_iterator(), [](const auto& file) {
                                         return file.path().extension() == ".sst";
                                       }));
  }
  CHECK(files_max > 16);
  CHECK(files_max < 50);
  const auto store = RocksStore::open_reader(path / "store").value();
  for (const auto family : {Family::journal, Family::identities}) {
    uint64_t found = 0;
    CHECK(store
              ->scan(family, {}, {},
                     [&](std::string_view key, std::string_view value) -> Result<bool> {
                       CHECK(key == encode(BlockKey{found, found}));
                       CHECK(value == "block " + std::to_string(found));
                       ++found;
                       return true;
                     })
              .has_value());
    CHECK(found == starts);
  }
  std::filesystem::remove_all(path);
}
