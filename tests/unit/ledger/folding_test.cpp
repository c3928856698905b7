// Why: what is durable has to be seen soon, however long packing takes. How: a store whose packing
// waits until it is let go, or fails.
#include "ledger/folding.h"

#include <condition_variable>

#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

class HeldStore final : public Store {
 public:
  explicit HeldStore(bool fails) : fails_(fails) {}
  Result<void> write_projection(const WriteSet& set) override {
    std::unique_lock lock(mutex_);
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return released_; });
    if (fails_) return Error{ErrorCode::io, "the disk is gone"};
    return memory_.write_projection(set);
  }
  Result<void> write(const WriteSet& set) override { return memory_.write(set); }
  Result<void> sync() override { return memory_.sync(); }
  Result<void> write_unlogged(const WriteSet& set) override { return memory_.write_unlogged(set); }
  Result<void> remove_range(Family family, std::string_view from, std::string_view until) override {
    return memory_.remove_range(family, from, until);
  }
  Result<void> discard(Family family, std::string_view from, std::string_view until) override {
    return memory_.discard(family, from, until);
  }
  Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
    return memory_.get(family, key);
  }
  Result<std::optional<Entry>> at_or_before(Family family, std::string_view key) const override {
    return memory_.at_or_before(family, key);
  }
  std::unique_ptr<Seeker> seeker(Family family) const override { return memory_.seeker(family); }
  Result<void> scan(Family family, std::string_view from, std::string_view until,
                    const Visit& visit) const override {
    return memory_.scan(family, from, until, visit);
  }

  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  MemoryStore memory_;
  const bool fails_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool released_ = false;
};

std::shared_ptr<const Block> block_of_one(uint64_t sequence, int64_t period) {
  auto block = std::make_shared<Block>();
  block->sequence = sequence;
  block->first_row = sequence - 1;
  block->dispositions = {Disposition::accepted};
  auto& events = block->events;
  events.row = {0};
  events.kind = {EventKind::usage};
  events.key = {0};
  events.completed_us = {period * 15 * 60 * 1'000'000};
  events.present = {mask_of(Meter::output_text)};
  events.counts.push(1);
  events.counts.end_event();
  return block;
}

struct Stage {
  explicit Stage(bool fails) : store(fails) {
    UsageKey key;
    key.team = *dictionary.strings.intern("search");
    REQUIRE(dictionary.keys.intern(key, KeyDictionary::hash(key)) == 0U);
    config.grain = std::chrono::minutes{15};
  }
  // As many cells as are packed at once: the first block's.
  void publish_enough() {
    Change change{1, 1, {}, {}};
    for (uint32_t i = 0; i < Projections::unflushed_cells_max; ++i)
      change.cells.push_back({place_of(i, 0), 1, {}});
    projections.publish(std::move(change), {1, 2});
  }

  HeldStore store;
  Dictionary dictionary;
  LedgerConfig config;
  Projections projections{store, config, dictionary};
  QuotaBook quotas{config, dictionary};
  std::atomic<uint64_t> folded{0};
  Folding folding{projections, quotas, config.grain,
                  [this](uint64_t sequence) { folded = sequence; }};
};

int64_t requests_of(const Projections& projections) {
  UsageQuery query;
  query.interval = {Instant{}, Instant{std::chrono::days{20'000}}};
  int64_t requests = 0;
  const auto table = projections.usage(query).value();
  for (const auto& row : table.rows) requests += row.requests;
  return requests;
}

}  // namespace

TEST_CASE("blocks are shown while those before them are packed", "[ledger]") {
  Stage stage(false);
  stage.publish_enough();
  stage.folding.start_threads([](const Error&) { FAIL("nothing fails here"); });
  stage.store.wait_until_held();
  REQUIRE(stage.folding.add(block_of_one(2, 7)));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (stage.folded < 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(stage.folded == 2);
  CHECK(stage.projections.published_sequence() == 2);
  stage.store.release();
  stage.folding.stop();
  REQUIRE(stage.projections.flush(true));
  CHECK(stage.projections.unflushed_cells() == 0);
  CHECK(requests_of(stage.projections) == int64_t{Projections::unflushed_cells_max} + 1);
}

TEST_CASE("a failure to pack is told and ends the folding of what waits", "[ledger]") {
  Stage stage(true);
  stage.publish_enough();
  std::atomic<int> failures{0};
  stage.folding.start_threads([&](const Error& error) {
    CHECK(error.sentence == "the disk is gone");
    ++failures;
    stage.folding.close();
  });
  stage.store.wait_until_held();
  stage.store.release();
  stage.folding.stop();
  CHECK(failures == 1);
}

TEST_CASE("memory that is given back is handed out again, up to a limit", "[ledger]") {
  SpareMemory<std::vector<int>> spare(1);
  CHECK(spare.take().capacity() == 0);
  for (const size_t room : {100, 200}) {
    std::vector<int> memory;
    memory.reserve(room);
    spare.give_back(std::move(memory));
  }
  CHECK(spare.take().capacity() == 100);
  CHECK(spare.take().capacity() == 0);
}
