#include "exporters/api/committer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

using std::chrono::steady_clock;

struct Waiting {
  std::variant<CommitJob, CommitTask> work;
  steady_clock::time_point since;
};

struct Committed {
  std::vector<Waiting> jobs;
  uint64_t sequence = 0;
};

constexpr size_t latencies_kept = 1024;

}  // namespace

struct Committer::Impl {
  Impl(ledger::Ledger& the_ledger, Config the_config)
      : ledger(the_ledger),
        config(std::move(the_config)),
        acknowledger([this] { acknowledge(); }) {}

  ledger::Ledger& ledger;
  const Config config;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Waiting> waiting;
  bool stopping = false;
  std::atomic<size_t> waiting_count{0};
  std::atomic<bool> room{true};
  steady_clock::time_point tick_due{};

  // The committing thread's: staged in the open batch.
  std::vector<Waiting> staged;

  std::mutex acknowledge_mutex;
  std::condition_variable acknowledge_changed;
  std::deque<Committed> committed;
  bool acknowledging = false;
  bool closed = false;

  mutable std::mutex latency_mutex;
  std::array<int64_t, latencies_kept> latencies{};
  uint64_t acknowledged = 0;
  int64_t latency_sum_us = 0;

  std::thread acknowledger;  // last: it uses all above

  Result<void> submit(Waiting work) {
    if (!room.load()) return Error{ErrorCode::unavailable, "the disk of the ledger is nearly full"};
    {
      const std::lock_guard guard(mutex);
      if (stopping) return Error{ErrorCode::unavailable, "the server is stopping"};
      if (waiting.size() >= config.jobs_max)
        return Error{ErrorCode::unavailable, "too many requests wait for the ledger"};
      waiting.push_back(std::move(work));
      waiting_count = waiting.size();
    }
    changed.notify_one();
    return success();
  }

  // Commits what is staged and hands it to the acknowledging thread.
  Result<void> commit() {
    if (staged.empty()) return success();
    auto done = ledger.commit();
    Committed batch{std::move(staged), ledger.status().head.sequence};
    staged.clear();
    if (done)
      for (auto& job : batch.jobs)
        if (auto& look = std::get<CommitJob>(job.work).committed) look(ledger.committed());
    {
      const std::lock_guard guard(acknowledge_mutex);
      committed.push_back(std::move(batch));
    }
    acknowledge_changed.notify_all();
    return done;
  }

  Result<void> serve(std::deque<Waiting> work) {
    size_t bytes = 0;
    for (auto& item : work) {
      if (auto* task = std::get_if<CommitTask>(&item.work)) {
        TRY(commit());
        (*task)(ledger);
        continue;
      }
      auto& job = std::get<CommitJob>(item.work);
      job.stage(ledger);
      bytes += job.bytes;
      staged.push_back(std::move(item));
      if (ledger.batch().records() >= limits::batch_events_max ||
          bytes >= limits::batch_bytes_max) {
        TRY(commit());
        bytes = 0;
      }
    }
    return commit();
  }

  Result<void> tick() {
    if (steady_clock::now() < tick_due) return success();
    tick_due = steady_clock::now() + config.tick_interval;
    room = ledger.has_room();
    if (!config.tick) return success();
    TRY(const bool added, config.tick(ledger));
    return added ? ledger.commit() : Result<void>(success());
  }

  std::deque<Waiting> take() {
    const std::lock_guard guard(mutex);
    waiting_count = 0;
    return std::exchange(waiting, {});
  }

  void note(steady_clock::time_point since) {
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - since);
    const std::lock_guard guard(latency_mutex);
    latencies[acknowledged++ % latencies_kept] = us.count();
    latency_sum_us += us.count();
  }

  void acknowledge() {
    for (;;) {
      Committed batch;
      {
        std::unique_lock guard(acknowledge_mutex);
        acknowledging = false;
        acknowledge_changed.notify_all();
        acknowledge_changed.wait(guard, [&] { return closed || !committed.empty(); });
        if (committed.empty()) return;
        batch = std::move(committed.front());
        committed.pop_front();
        acknowledging = true;
      }
      const auto visible = ledger.wait_until_visible(batch.sequence);
      const Result<uint64_t> outcome =
          visible ? Result<uint64_t>(batch.sequence) : Result<uint64_t>(visible.error());
      for (auto& job : batch.jobs) {
        std::get<CommitJob>(job.work).done(outcome);
        note(job.since);
      }
    }
  }
};

Committer::Committer(ledger::Ledger& ledger, Config config)
    : impl_(std::make_unique<Impl>(ledger, std::move(config))) {}

Committer::~Committer() {
  {
    const std::lock_guard guard(impl_->acknowledge_mutex);
    impl_->closed = true;
  }
  impl_->acknowledge_changed.notify_all();
  impl_->acknowledger.join();
}

Result<void> Committer::submit(CommitJob job) {
  return impl_->submit({std::move(job), steady_clock::now()});
}
Result<void> Committer::submit(CommitTask task) {
  return impl_->submit({std::move(task), steady_clock::now()});
}

Result<void> Committer::wait_and_serve() {
  {
    std::unique_lock guard(impl_->mutex);
    impl_->changed.wait_for(guard, impl_->config.tick_interval,
                            [&] { return impl_->stopping || !impl_->waiting.empty(); });
  }
  return serve_waiting();
}

void Committer::stop() {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
}

Result<void> Committer::serve_waiting() {
  TRY(impl_->tick());
  return impl_->serve(impl_->take());
}

bool Committer::has_work() const { return impl_->waiting_count.load() != 0; }

Result<void> Committer::drain() {
  TRY(impl_->serve(impl_->take()));
  std::unique_lock guard(impl_->acknowledge_mutex);
  impl_->acknowledge_changed.wait(
      guard, [&] { return impl_->committed.empty() && !impl_->acknowledging; });
  return success();
}

Committer::Latency Committer::latency() const {
  const std::lock_guard guard(impl_->latency_mutex);
  const auto kept = std::min<uint64_t>(impl_->acknowledged, latencies_kept);
  std::vector<int64_t> sorted(impl_->latencies.begin(),
                              impl_->latencies.begin() + static_cast<std::ptrdiff_t>(kept));
  std::sort(sorted.begin(), sorted.end());
  Latency latency;
  latency.acknowledged = impl_->acknowledged;
  latency.sum_us = impl_->latency_sum_us;
  if (sorted.empty()) return latency;
  latency.p50_us = sorted[sorted.size() / 2];
  latency.p99_us = sorted[sorted.size() * 99 / 100];
  latency.max_us = sorted.back();
  return latency;
}

}  // namespace gauger::exporters
