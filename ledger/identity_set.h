// All identities that the ledger knows, by age: the hot index of the newest rows in memory, one
// that is frozen while it is written to disk, and cold runs. Answers which rows may hold a
// fingerprint; the journal's raw ids decide.
//
// One thread (the intake's). Figures: hot 12 bytes a slot, at most 16 bytes per identity when full,
// one cache line per question; cold 2 bytes per identity, one more line per run. There are at most
// some log2(identities / hot identities) runs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ledger/identity_index.h"
#include "ledger/identity_run.h"
#include "ledger/store.h"

namespace gauger::ledger {

// A stretch of rows whose identities grow no more.
struct FrozenIdentities {
  RowRange range;
  IdentityIndex index;
};

class IdentitySet {
 public:
  // An event, and a row of the journal before this batch that may hold its identity.
  struct Suspect {
    uint64_t row;
    uint32_t event;
  };

  // Runs of a ledger that is opened; what follows them is inserted.
  void set_runs(std::vector<std::shared_ptr<IdentityRun>> runs);

  // --- one event ---
  void prefetch(Fingerprint fingerprint) const {
    hot_.prefetch(fingerprint);
    if (frozen_) frozen_->index.prefetch(fingerprint);
  }
  void insert(Fingerprint fingerprint, uint64_t row) { hot_.insert(fingerprint, row); }
  // The rows that are not in cold runs, as find_recent tells them; where there are none, and it is
  // not `known` otherwise, the fingerprint is inserted. True where it was not.
  template <class Visit>
  bool find_or_insert(Fingerprint fingerprint, uint64_t row, bool known, Visit&& visit) {
    const auto at = hot_.seek(fingerprint);
    const auto note = [&](uint64_t found) {
      known = true;
      visit(found);
      return false;
    };
    hot_.find_at(at, fingerprint, note);
    if (frozen_) frozen_->index.find(fingerprint, note);
    if (!known) hot_.insert_at(at, fingerprint, row);
    return known;
  }
  // Calls visit(row) for rows that are not in cold runs, until it returns true; answers that.
  template <class Visit>
  bool find_recent(Fingerprint fingerprint, Visit&& visit) const {
    return hot_.find(fingerprint, visit) || (frozen_ && frozen_->index.find(fingerprint, visit));
  }

  // --- a batch ---
  // Adds what the cold runs know of these fingerprints; `event` is the place in the span.
  Result<void> find_cold(const Store& store, std::span<const Fingerprint> fingerprints,
                         std::vector<Suspect>& suspects);

  // --- ageing ---
  uint64_t hot_size() const { return hot_.size(); }
  bool is_freezing() const { return frozen_ != nullptr; }
  // Begins a new hot index; rows below end_row are in the frozen one.
  std::shared_ptr<const FrozenIdentities> freeze(uint64_t end_row);
  // A run that holds the frozen rows and those of the newest runs within its range.
  void adopt(std::shared_ptr<IdentityRun> run);
  const std::vector<std::shared_ptr<IdentityRun>>& runs() const { return runs_; }

  uint64_t size() const;
  uint64_t memory_bytes() const;

 private:
  // A run that is asked this often by a batch is warmed, one that is not for long is cooled.
  static constexpr size_t warm_share = 16;  // one in sixteen events
  static constexpr unsigned idle_batches_max = 64;
  static constexpr uint64_t warm_bytes_max = 320U << 20;
  Result<void> tend(const Store& store, IdentityRun& run, size_t questions, size_t events);

  IdentityIndex hot_;
  uint64_t hot_first_row_ = 0;
  std::shared_ptr<const FrozenIdentities> frozen_;
  std::vector<std::shared_ptr<IdentityRun>> runs_;  // oldest first
  unsigned idle_batches_ = 0;
  std::vector<IdentityRun::Question> questions_;
  std::vector<IdentityRun::Answer> answers_;
};

}  // namespace gauger::ledger
