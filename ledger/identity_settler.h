// Writes frozen identities as a cold run, together with the newest runs that are not larger, so
// that sizes grow geometrically: an identity is written some log2(runs) times in its life.
//
// A thread of its own, or the caller's. The intake hands over what it froze and takes the run
// when it is there; runs that were merged away are removed only after that. Nothing is written
// before its rows are durable, so a run is never ahead of the journal.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "ledger/identity_set.h"

namespace gauger::ledger {

class IdentitySettler {
 public:
  using Failed = std::function<void(const Error&)>;

  explicit IdentitySettler(Store& store) : store_(store) {}
  ~IdentitySettler() { stop(); }

  // Until then, and without it, `settle` does the work when it is called.
  void start_thread(Failed failed);
  void stop();

  // When a ledger is opened: runs that nobody uses, those that are, and which rows are durable.
  void begin(std::vector<RowRange> obsolete, const IdentitySet& identities, uint64_t durable_row);
  // Intake, after every commit: adopts a run that was written; freezes the hot index when it holds
  // more than hot_max and hands it over.
  void age(IdentitySet& identities, uint64_t next_row, uint64_t hot_max);
  // Rows below are durable. From any thread.
  void set_durable(uint64_t end_row);
  // One step of work, if there is any.
  Result<void> settle();

 private:
  bool has_work() const;
  Result<std::shared_ptr<IdentityRun>> write_run();

  Store& store_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  uint64_t durable_row_ = 0;
  std::shared_ptr<const FrozenIdentities> frozen_;
  std::vector<std::shared_ptr<IdentityRun>> runs_;
  std::shared_ptr<IdentityRun> done_;  // written, not yet adopted
  std::vector<RowRange> replaced_;     // to be removed once the run is taken
  bool is_tidy_ = true;
  std::vector<RowRange> obsolete_;  // to be removed
  std::vector<RowRange> kept_;      // as long as nothing is being written
};

}  // namespace gauger::ledger
