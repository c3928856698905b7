// Why: cold identities are found again, and what was merged away, or never finished, leaves the
// disk without the rest being written again. How: runs in a real store, asked and counted in bytes.
#include "ledger/identity_run.h"

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "ledger/rocks_store.h"
#include "tests/catch.h"

namespace gauger::ledger {
namespace {

constexpr uint64_t rows_per_run = 20'000;
constexpr uint64_t merged_runs = 12;

class Runs {
 public:
  ~Runs() {
    store_.reset();
    std::filesystem::remove_all(path_);
  }

  RocksStore& store() { return *store_; }
  uint64_t bytes() const { return store_->family_bytes(Family::identity_runs); }

  static RowRange rows(uint64_t first_run, uint64_t end_run) {
    return {first_run * rows_per_run, end_run * rows_per_run};
  }
  static Fingerprint fingerprint_of(uint64_t row) { return (row + 1) * 0x9E37'79B9'7F4A'7C15; }

  // The buckets of these rows, with or without what makes a run of them.
  std::shared_ptr<IdentityRun> write(RowRange range, bool finish = true) {
    IdentityRunWriter writer(*store_, range, range.end_row - range.first_row);
    std::vector<std::vector<RunEntry>> buckets(writer.buckets());
    for (auto row = range.first_row; row < range.end_row; ++row) {
      const auto fingerprint = fingerprint_of(row);
      buckets[fingerprint >> (64 - writer.bucket_bits())].push_back(
          {fingerprint, static_cast<uint32_t>(row - range.first_row)});
    }
    for (auto& bucket : buckets) REQUIRE(writer.add_bucket(bucket));
    return finish ? writer.finish().value() : nullptr;
  }

  // What lies on RocksDB's first level goes once it has moved down, behind the caller's back.
  bool tidy_until(uint64_t bytes_max, const std::vector<RowRange>& obsolete,
                  const std::vector<RowRange>& kept) {
    for (int i = 0; i < 100; ++i) {
      REQUIRE(tidy_runs(*store_, obsolete, kept));
      if (bytes() <= bytes_max) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return false;
  }

  std::vector<uint64_t> find(const IdentityRun& run, uint64_t row) {
    std::vector<IdentityRun::Question> questions{{fingerprint_of(row), 0}};
    std::vector<IdentityRun::Answer> answers;
    REQUIRE(run.ask(*store_, questions, answers));
    std::vector<uint64_t> rows;
    for (const auto& answer : answers) rows.push_back(answer.row);
    return rows;
  }

 private:
  const std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                      ("gauger-runs-" + std::to_string(std::random_device{}()));
  std::unique_ptr<RocksStore> store_ = RocksStore::open(path_, {}).value();
};

}  // namespace

TEST_CASE("merged identity runs leave the disk and nothing is written again", "[ledger]") {
  Runs runs;
  std::vector<RowRange> obsolete;
  runs.write(Runs::rows(0, 1));
  const auto run_bytes = runs.bytes();
  for (uint64_t i = 0; i < merged_runs; ++i) {
    obsolete.push_back(Runs::rows(i, i + 1));
    if (i > 0) runs.write(obsolete.back());
  }
  const auto merged = runs.write(Runs::rows(0, merged_runs));
  const auto newest = runs.write(Runs::rows(merged_runs, merged_runs + 1));
  // Of the first level, four files may stay.
  CHECK(runs.tidy_until((merged_runs + 4) * run_bytes, obsolete, {merged->range, newest->range}));
  for (uint64_t i = 0; i < 2 * merged_runs; ++i) {
    const auto range = Runs::rows(merged_runs + 1 + i, merged_runs + 2 + i);
    runs.write(range);
    REQUIRE(tidy_runs(runs.store(), {range}, {merged->range, newest->range}));
  }
  CHECK(runs.tidy_until((merged_runs + 5) * run_bytes, {}, {merged->range, newest->range}));
  CHECK(runs.store().bytes_written() < (4 * merged_runs + 5) * run_bytes);

  for (const uint64_t row : {uint64_t{0}, 5 * rows_per_run, merged_runs * rows_per_run - 1})
    CHECK(runs.find(*merged, row) == std::vector{row});
  CHECK(runs.find(*merged, merged_runs * rows_per_run).empty());
  CHECK(runs.find(*newest, merged_runs * rows_per_run) == std::vector{merged_runs * rows_per_run});
  std::vector<RowRange> left;
  const auto opened = open_runs(runs.store(), UINT64_MAX, left).value();
  CHECK(left.empty());
  REQUIRE(opened.size() == 2);
  CHECK(opened.front()->range.end_row == merged->range.end_row);
}

TEST_CASE("parts of identity runs that were never finished leave the disk", "[ledger]") {
  Runs runs;
  const auto first = runs.write(Runs::rows(0, 1));
  const auto run_bytes = runs.bytes();
  // Of each, what its writer does not hold back for more.
  for (uint64_t i = 0; i < 8; ++i) {
    runs.write(Runs::rows(1, 25 + i), false);
    REQUIRE(runs.store().flush());
  }
  const auto unfinished_bytes = runs.bytes();
  CHECK(unfinished_bytes > 8 * 10 * run_bytes);
  CHECK(runs.tidy_until(unfinished_bytes * 5 / 8, {}, {first->range}));
  CHECK(runs.find(*first, 7) == std::vector<uint64_t>{7});
}

}  // namespace gauger::ledger
