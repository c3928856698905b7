#include "ledger/identity_settler.h"

#include <algorithm>

namespace gauger::ledger {
namespace {

// All entries of a frozen index, by bucket of `bits` bits.
class FrozenReader {
 public:
  FrozenReader(const FrozenIdentities& frozen, unsigned bits)
      : first_row_(frozen.range.first_row), bits_(bits), at_(frozen.index) {}

  void take_bucket(uint32_t bucket, uint64_t row_shift, std::vector<RunEntry>& into) {
    for (; !at_.at_end() && (bits_ == 0 || at_.fingerprint() >> (64 - bits_) == bucket); at_.next())
      into.push_back(
          {at_.fingerprint(), static_cast<uint32_t>(at_.row() - first_row_ + row_shift)});
  }

 private:
  const uint64_t first_row_;
  const unsigned bits_;
  IdentityIndex::Walk at_;
};

// The entries of a run that lie in a bucket of `bits` bits, which is not finer than its own by
// more than the caller reads at once.
class RunReader {
 public:
  RunReader(const Store& store, const IdentityRun& run, unsigned bits)
      : reader_(store, run), run_(run), bits_(bits) {}

  Result<void> take_bucket(uint32_t bucket, uint64_t row_shift, std::vector<RunEntry>& into) {
    // The run has fewer entries than what is written, so its buckets are as wide or wider.
    const auto wide = bucket >> (bits_ - run_.bucket_bits);
    if (wide != read_) {
      TRY(reader_.read(wide, entries_));
      read_ = wide;
      next_ = 0;
    }
    for (; next_ < entries_.size() &&
           (bits_ == 0 || entries_[next_].fingerprint >> (64 - bits_) == bucket);
         ++next_)
      into.push_back(
          {entries_[next_].fingerprint, static_cast<uint32_t>(entries_[next_].row + row_shift)});
    return success();
  }

 private:
  BucketReader reader_;
  const IdentityRun& run_;
  const unsigned bits_;
  std::vector<RunEntry> entries_;
  uint64_t read_ = UINT64_MAX;
  size_t next_ = 0;
};

std::vector<RowRange> ranges_of(const IdentitySet& identities) {
  std::vector<RowRange> ranges;
  for (const auto& run : identities.runs()) ranges.push_back(run->range);
  return ranges;
}

}  // namespace

void IdentitySettler::start_thread(Failed failed) {
  thread_ = std::thread([this, failed = std::move(failed)] {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || has_work(); });
      if (stopping_) return;
      lock.unlock();
      const auto done = settle();
      if (!done) return failed(done.error());
      lock.lock();
    }
  });
}

void IdentitySettler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void IdentitySettler::begin(std::vector<RowRange> obsolete, const IdentitySet& identities,
                            uint64_t durable_row) {
  const std::lock_guard lock(mutex_);
  is_tidy_ = false;
  obsolete_ = std::move(obsolete);
  kept_ = ranges_of(identities);
  durable_row_ = durable_row;
}

void IdentitySettler::age(IdentitySet& identities, uint64_t next_row, uint64_t hot_max) {
  const bool is_full = identities.hot_size() > hot_max;
  if (!is_full && !identities.is_freezing()) return;
  {
    const std::lock_guard lock(mutex_);
    if (done_) {
      identities.adopt(std::exchange(done_, nullptr));
      is_tidy_ = false;
      obsolete_.insert(obsolete_.end(), replaced_.begin(), replaced_.end());
      replaced_.clear();
      kept_ = ranges_of(identities);
    }
    if (is_full && !identities.is_freezing()) {
      frozen_ = identities.freeze(next_row);
      runs_ = identities.runs();
    }
  }
  changed_.notify_all();
}

void IdentitySettler::set_durable(uint64_t end_row) {
  {
    const std::lock_guard lock(mutex_);
    durable_row_ = std::max(durable_row_, end_row);
  }
  changed_.notify_all();
}

bool IdentitySettler::has_work() const {
  return !is_tidy_ || (frozen_ && !done_ && frozen_->range.end_row <= durable_row_);
}

Result<void> IdentitySettler::settle() {
  std::unique_lock lock(mutex_);
  const bool is_tidy = std::exchange(is_tidy_, true);
  const auto obsolete = std::exchange(obsolete_, {});
  const auto kept = kept_;
  const bool writable = frozen_ && !done_ && frozen_->range.end_row <= durable_row_;
  lock.unlock();
  if (!is_tidy) {
    TRY(tidy_runs(store_, obsolete, kept));
  }
  if (!writable) return success();
  TRY(auto run, write_run());
  lock.lock();
  for (const auto& old : runs_)
    if (old->range.first_row >= run->range.first_row) replaced_.push_back(old->range);
  done_ = std::move(run);
  frozen_ = nullptr;
  runs_.clear();
  return success();
}

// Only this thread changes frozen_ and runs_ while they are there.
Result<std::shared_ptr<IdentityRun>> IdentitySettler::write_run() {
  auto range = frozen_->range;
  auto count = frozen_->index.size();
  std::vector<const IdentityRun*> merged;
  for (auto at = runs_.rbegin(); at != runs_.rend() && (*at)->count <= count; ++at) {
    if (range.end_row - (*at)->range.first_row > UINT32_MAX) break;
    merged.push_back(at->get());
    range.first_row = (*at)->range.first_row;
    count += (*at)->count;
  }
  IdentityRunWriter writer(store_, range, count);
  FrozenReader frozen(*frozen_, writer.bucket_bits());
  std::vector<RunReader> readers;
  for (const auto* run : merged) readers.emplace_back(store_, *run, writer.bucket_bits());
  std::vector<RunEntry> entries;
  for (uint32_t bucket = 0; bucket < writer.buckets(); ++bucket) {
    entries.clear();
    frozen.take_bucket(bucket, frozen_->range.first_row - range.first_row, entries);
    for (size_t i = 0; i < merged.size(); ++i) {
      TRY(readers[i].take_bucket(bucket, merged[i]->range.first_row - range.first_row, entries));
    }
    TRY(writer.add_bucket(entries));
  }
  return writer.finish();
}

}  // namespace gauger::ledger
