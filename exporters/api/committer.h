// The committing thread's work queue: many requests, one writer. What waits is staged into the
// ledger's open batch together, committed once, and acknowledged when that block is durable and
// visible; while one block is on its way to the disk the next one fills. Under load a sync is
// shared by as many requests as came in the meantime.
//
// With a log as well, the intake runs on the same thread: between its polls it lets the committer
// stage and commit (serve_waiting). Both feed the same batches.
//
// Threads: submit and stop from any. wait_and_serve, serve_waiting and drain belong to the
// committing thread. `done` is called on a thread of the committer's own, in the order of the
// commits.
#pragma once

#include <functional>
#include <memory>

#include "ledger/ledger.h"

namespace gauger::exporters {

struct CommitJob {
  // Adds to the ledger's open batch, and must not commit it.
  std::function<void(ledger::Ledger&)> stage;
  // Looks at what became of it, right after the commit. May be empty.
  std::function<void(const ledger::Batch&)> committed;
  // The block is durable and visible; or the ledger failed.
  std::function<void(const Result<uint64_t>& sequence)> done;
  size_t bytes = 0;  // of memory that it holds on to
};

// What wants the ledger for itself, between two commits (documents): runs to its end.
using CommitTask = std::function<void(ledger::Ledger&)>;

class Committer {
 public:
  struct Config {
    // Jobs that wait; above it submit says no.
    size_t jobs_max = 16'384;
    // Called now and then, also when nothing waits: expiry of reservations and the like. Returns
    // whether it added anything to the open batch.
    std::function<Result<bool>(ledger::Ledger&)> tick;
    std::chrono::milliseconds tick_interval{100};
  };
  Committer(ledger::Ledger& ledger, Config config);
  ~Committer();
  Committer(const Committer&) = delete;

  // unavailable: too much waits, the disk is nearly full, or the server is stopping.
  Result<void> submit(CommitJob job);
  Result<void> submit(CommitTask task);

  // Waits for work, a tick at most, and serves it. The ledger's failure is its error.
  Result<void> wait_and_serve();
  // Takes no more.
  void stop();

  // For an intake on the same thread: serves what waits now. `has_work` is safe from any thread.
  Result<void> serve_waiting();
  bool has_work() const;
  // Acknowledges all that was committed. After it no `done` is called any more.
  Result<void> drain();

  // Time from submit to the acknowledgement, in microseconds: of the last thousand or so.
  struct Latency {
    uint64_t acknowledged = 0;
    int64_t sum_us = 0;  // of all
    int64_t p50_us = 0;
    int64_t p99_us = 0;
    int64_t max_us = 0;
  };
  Latency latency() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::exporters
