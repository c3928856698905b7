#include "ledger/online_verifier.h"

#include "ledger/bytes.h"
#include "ledger/cut.h"
#include "ledger/projections.h"
#include "ledger/replay.h"
#include "ledger/rollup_codec.h"
#include "schemas/thread_priority.h"

namespace gauger::ledger {
namespace {

constexpr auto shortest_sleep = std::chrono::milliseconds{2};
// An iterator that stands still for long holds files that are long replaced.
constexpr uint64_t blocks_per_scan = 64;

}  // namespace

OnlineVerifier::OnlineVerifier(const Store& store, const LedgerConfig& config, DurableHead durable,
                               Config pace)
    : store_(store), config_(config), durable_(std::move(durable)), pace_(pace) {}

void OnlineVerifier::start(Told told) {
  told_ = std::move(told);
  is_paced_ = true;
  thread_ = std::thread([this] {
    run_behind();
    run();
  });
}

void OnlineVerifier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

OnlineVerifier::State OnlineVerifier::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void OnlineVerifier::run() {
  do {
    run_pass();
  } while (wait(pace_.pause));
}

void OnlineVerifier::run_pass() {
  if (const auto done = pass(); !done) find(done.error().sentence);
  if (told_) told_(state());
}

Result<void> OnlineVerifier::pass() {
  // Retention does not run beside a writer: the cut stays what it is.
  TRY(auto cut, read_cut(store_));
  const WholeDays whole_days(config_, cut ? cut->fine_from : Instant{});
  Pass pass(whole_days);
  // Rollups are made of durable blocks: whatever is packed now is below the head that is asked
  // after it.
  TRY(read_rollups(pass));
  pass.durable = durable_();
  if (cut) {
    pass.seen = cut->head;
    pass.folded = RollupSum(whole_days, std::move(cut->days));
  }
  TRY(fold_blocks(pass));
  const std::lock_guard lock(mutex_);
  if (!stopping_) ++state_.passes;
  return success();
}

// Segments and watermark of one moment: one scan over both.
Result<void> OnlineVerifier::read_rollups(Pass& pass) {
  TRY(store_.scan(Family::rollups, "F", "I",
                  [&](std::string_view key, std::string_view value) -> Result<bool> {
                    if (key.starts_with('F')) {
                      TRY(const auto change, decode_rollup(value));
                      pass.stored.add(change);
                    } else if (value.size() >= 16) {
                      TRY(const auto next, decode_block_key(value.substr(0, 16)));
                      pass.rollups_through = next.sequence - 1;
                    }
                    return pay(value.size());
                  }));
  return success();
}

Result<void> OnlineVerifier::fold_blocks(Pass& pass) {
  auto& seen = pass.seen;
  while (seen.sequence < pass.durable.sequence) {
    const auto last = std::min(seen.sequence + blocks_per_scan, pass.durable.sequence);
    const auto before = seen.sequence;
    TRY(scan_journal(store_, {seen.next_row, seen.sequence + 1}, last, Columns::all,
                     [&](const Block& block, std::string_view bytes) -> Result<void> {
                       const auto name = "journal block " + std::to_string(block.sequence);
                       if (block.sequence != seen.sequence + 1 ||
                           block.first_row != seen.next_row || block.previous_hash != seen.hash)
                         find(name + " does not chain to the one before");
                       add_block(block, bytes, seen);
                       if (block.sequence <= pass.rollups_through)
                         pass.folded.add(fold(block, config_.grain));
                       advance(block.sequence);
                       static_cast<void>(pay(bytes.size()));
                       return success();
                     }));
    if (seen.sequence == before)
      return corruption("journal block " + std::to_string(before + 1) + " is missing");
    if (!wait(std::chrono::microseconds{0})) return success();
  }
  compare(pass);
  return success();
}

void OnlineVerifier::compare(Pass& pass) {
  if (pass.seen != pass.durable)
    find("the head of block " + std::to_string(pass.durable.sequence) +
         " is not the fold of the journal");
  std::vector<std::string> findings;
  pass.folded.compare(pass.stored, findings);
  for (auto& finding : findings) find(std::move(finding));
}

void OnlineVerifier::find(std::string sentence) {
  const std::lock_guard lock(mutex_);
  ++state_.mismatches;
  state_.last_finding = std::move(sentence);
}

void OnlineVerifier::advance(uint64_t sequence) {
  {
    const std::lock_guard lock(mutex_);
    if (sequence <= state_.verified_through) return;
    state_.verified_through = sequence;
  }
  if (told_) told_(state());
}

bool OnlineVerifier::pay(size_t bytes) {
  if (!is_paced_) return true;
  owed_ += std::chrono::microseconds{bytes * 1'000'000 / pace_.bytes_per_second};
  if (owed_ < shortest_sleep) return true;
  return wait(std::exchange(owed_, std::chrono::microseconds{0}));
}

bool OnlineVerifier::wait(std::chrono::microseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return stopping_; });
}

}  // namespace gauger::ledger
