#include "ledger/identity_set.h"

#include <algorithm>

namespace gauger::ledger {

void IdentitySet::set_runs(std::vector<std::shared_ptr<IdentityRun>> runs) {
  runs_ = std::move(runs);
  hot_first_row_ = runs_.empty() ? 0 : runs_.back()->range.end_row;
  hot_ = IdentityIndex(hot_first_row_);
}

Result<void> IdentitySet::find_cold(const Store& store, std::span<const Fingerprint> fingerprints,
                                    std::vector<Suspect>& suspects) {
  constexpr size_t prefetch_distance = 24;
  size_t answered = 0;
  for (const auto& run : runs_) {
    questions_.clear();
    answers_.clear();
    for (size_t i = 0; i < fingerprints.size(); ++i) {
      if (i + prefetch_distance < fingerprints.size())
        run->prefetch(fingerprints[i + prefetch_distance]);
      if (run->may_contain(fingerprints[i]))
        questions_.push_back({fingerprints[i], static_cast<uint32_t>(i)});
    }
    if (!questions_.empty()) {
      TRY(tend(store, *run, questions_.size(), fingerprints.size()));
      TRY(run->ask(store, questions_, answers_));
    }
    answered += answers_.size();
    for (const auto& [row, event] : answers_) suspects.push_back({row, event});
  }
  idle_batches_ = answered * warm_share > fingerprints.size() ? 0 : idle_batches_ + 1;
  if (idle_batches_ == idle_batches_max)
    for (const auto& run : runs_) run->cool();
  return success();
}

// A flood of old identities (a redelivery, a backfill that came before) is told from memory.
Result<void> IdentitySet::tend(const Store& store, IdentityRun& run, size_t questions,
                               size_t events) {
  constexpr size_t events_min = 1024;
  if (run.is_warm() || events < events_min || questions * warm_share < events) return success();
  uint64_t warm = run.warm_bytes();
  for (const auto& other : runs_)
    if (other->is_warm()) warm += other->warm_bytes();
  if (warm > warm_bytes_max) {
    if (run.warm_bytes() > warm_bytes_max) return success();
    for (const auto& other : runs_) other->cool();
  }
  return run.warm(store);
}

std::shared_ptr<const FrozenIdentities> IdentitySet::freeze(uint64_t end_row) {
  VERIFY(!frozen_, "one index is frozen at a time");
  frozen_ = std::make_shared<const FrozenIdentities>(
      FrozenIdentities{{hot_first_row_, end_row}, std::move(hot_)});
  hot_ = IdentityIndex(end_row);
  hot_first_row_ = end_row;
  return frozen_;
}

void IdentitySet::adopt(std::shared_ptr<IdentityRun> run) {
  VERIFY(frozen_ && run->range.end_row == frozen_->range.end_row, "the run holds what was frozen");
  while (!runs_.empty() && runs_.back()->range.first_row >= run->range.first_row) runs_.pop_back();
  runs_.push_back(std::move(run));
  frozen_ = nullptr;
}

uint64_t IdentitySet::size() const {
  auto size = hot_.size() + (frozen_ ? frozen_->index.size() : 0);
  for (const auto& run : runs_) size += run->count;
  return size;
}

uint64_t IdentitySet::memory_bytes() const {
  auto bytes = hot_.memory_bytes() + (frozen_ ? frozen_->index.memory_bytes() : 0);
  for (const auto& run : runs_) bytes += run->memory_bytes();
  return bytes;
}

}  // namespace gauger::ledger
