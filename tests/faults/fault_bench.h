// A ledger on a disk that breaks, and a workload of which everybody knows what must come out.
//
// The workload is a log of one partition: record n is an event of n + 1 tokens; every seventh is
// the one before again. Some commits bring a document. A ledger that has read the log up to an
// offset holds exactly what `expected` says, whatever has happened to it on the way.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "ledger/ledger.h"
#include "ledger/reader.h"
#include "ledger/verify.h"
#include "tests/simulated_disk.h"
#include "tests/unit/ledger/events.h"

namespace gauger::testing {

inline void require(const Result<void>& done) {
  if (!done) FAIL(done.error().sentence);
}

// But for RocksDB's own diary and its options.
inline DiskImage files_of_ledger(DiskImage image) {
  std::erase_if(image,
                [](const auto& file) { return file_kind_of(file.first) == FileKind::other; });
  return image;
}

class FaultBench {
 public:
  static constexpr int64_t records_per_commit = 5;
  static constexpr std::string_view source = "kafka:test/usage";

  // Few hot identities, so that cold runs are written and read.
  FaultBench(SimulatedDisk& disk, bool single_threaded) : disk_(disk) {
    options_.disk = &disk.disk();
    options_.single_threaded = single_threaded;
    options_.hot_identities_max = 8;
    options_.free_bytes_min = 0;
  }

  Result<void> open() {
    TRY(ledger_, ledger::Ledger::open("/srv/ledger", options_, clock_));
    return success();
  }
  void drop() { ledger_.reset(); }

  // Reads on to `until`, flushing now and then. `acknowledged` is what a flush answered for.
  Result<void> run(int64_t until) {
    while (next_offset() < until) {
      TRY(commit());
      if (next_offset() / records_per_commit % 2 != 0) continue;
      TRY(ledger_->flush());
      acknowledged = next_offset();
      if (acknowledged % (6 * records_per_commit) != 0) continue;
      ledger::DocumentDraft draft;
      draft.key = {"default", "note", "n"};
      draft.author = "tester";
      draft.content = std::string(300, 'x') + std::to_string(acknowledged);
      TRY(ledger_->append_documents({std::move(draft)}));
      ++acknowledged_documents;
    }
    TRY(ledger_->flush());
    acknowledged = next_offset();
    return success();
  }

  // Some commits that are not synced.
  Result<void> run_unacknowledged() {
    for (int i = 0; i < 3; ++i) {
      TRY(commit());
    }
    return success();
  }

  Result<void> close() {
    TRY(ledger_->close());
    return success();
  }

  // Behind an error every call answers with one, for ever.
  void check_stopped() {
    if (!ledger_) return;
    CHECK(!ledger_->commit());
    CHECK(!ledger_->flush());
    CHECK(!ledger_->append_documents({}));
    CHECK(!ledger_->close());
  }

  ledger::Ledger& ledger() { return *ledger_; }
  int64_t next_offset() const {
    const auto position = ledger_->position(source, 0);
    return position ? position->next_offset : 0;
  }
  uint32_t documents() const {
    const auto latest = ledger_->documents().latest({"default", "note", "n"});
    REQUIRE(latest.has_value());
    return latest.value() ? latest.value()->version : 0;
  }

  // Tokens of a ledger that has read the log up to there.
  static int64_t expected(int64_t next_offset) {
    int64_t sum = 0;
    for (int64_t i = 0; i < next_offset; ++i) sum += i % 7 == 6 ? 0 : i + 1;
    return sum;
  }
  static int64_t tokens(const UsageTable& table) {
    int64_t sum = 0;
    for (const auto& row : table.rows) sum += row.counts[0];
    return sum;
  }
  static ledger::UsageQuery everything() {
    ledger::UsageQuery query;
    query.interval = {ledger::testing::at("2026-01-01"), ledger::testing::at("2028-01-01")};
    return query;
  }
  int64_t tokens() const { return tokens(ledger_->usage(everything()).value()); }

  Result<ledger::VerifyReport> verify() const {
    return ledger::verify(
        "/srv/ledger", [](uint64_t, uint64_t) {}, disk_.disk());
  }
  Result<std::unique_ptr<ledger::Reader>> reader() const {
    return ledger::Reader::open("/srv/ledger", disk_.disk());
  }

  ledger::LedgerOptions& options() { return options_; }

  int64_t acknowledged = 0;
  uint32_t acknowledged_documents = 0;

 private:
  Result<void> commit() {
    auto& batch = ledger_->batch();
    auto at = next_offset();
    const auto end = at + records_per_commit;
    std::deque<std::string> ids;  // which the batch borrows until it is committed
    batch.begin_segment({"default", std::string(source), 0, false}, at);
    for (; at < end; ++at) {
      const auto twin = at % 7 == 6 ? at - 1 : at;
      const auto& id = ids.emplace_back("id-" + std::to_string(twin));
      const auto team = "team-" + std::to_string(twin / 24);
      auto event = ledger::testing::usage_event(id, twin + 1, 1, team);
      // Numbers that do not compress, so that rollups grow into blob files.
      for (uint64_t i = 1; i < meter_count; ++i) {
        const auto mixed = static_cast<uint64_t>(twin + 1) * 0x9E3779B97F4A7C1 * (i + 1);
        event.set(static_cast<Meter>(i), static_cast<int64_t>(mixed >> 3 & 0x7FFFFFFFFFFFFF));
      }
      event.completed_at -= std::chrono::minutes{30 * (twin % 24)};
      batch.add(event, at, id);
    }
    batch.end_segment(end, 0, 0);
    return ledger_->commit();
  }

  SimulatedDisk& disk_;
  FixedClock clock_{ledger::testing::at("2027-01-16T00:00:00Z")};
  ledger::LedgerOptions options_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

}  // namespace gauger::testing
