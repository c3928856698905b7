#include "ingest/kafka_watch.h"

#include <fmt/format.h>

namespace gauger::ingest {
namespace {

// A broker that starts may not know all its topics yet.
constexpr std::chrono::seconds gone_after{10};
// However many complaints come in, the cluster is asked this often at most.
constexpr std::chrono::milliseconds look_interval_min{500};

}  // namespace

KafkaWatch::KafkaWatch(const KafkaProbe& probe, Config config, std::vector<KafkaPosition> positions,
                       std::function<void()> wake)
    : probe_(probe),
      config_(config),
      wake_fetcher_(std::move(wake)),
      positions_(std::move(positions)),
      marks_(positions_),
      thread_([this] { run(); }) {}

KafkaWatch::~KafkaWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void KafkaWatch::read(std::span<const KafkaPosition> positions) {
  const std::lock_guard lock(mutex_);
  for (const auto& position : positions) {
    const auto slot = static_cast<size_t>(position.partition);
    positions_[slot] = position;
    if (marks_[slot].record_offset < 0) marks_[slot] = position;
  }
}

std::optional<Error> KafkaWatch::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

size_t KafkaWatch::unchecked() const {
  const std::lock_guard lock(mutex_);
  return unchecked_;
}

void KafkaWatch::look_now() {
  {
    const std::lock_guard lock(mutex_);
    look_now_ = true;
  }
  changed_.notify_one();
}

void KafkaWatch::wake() {
  {
    const std::lock_guard lock(mutex_);
    wake_ = true;
  }
  changed_.notify_one();
}

void KafkaWatch::run() {
  auto looked = std::chrono::steady_clock::now();
  auto rechecked = looked;
  std::unique_lock lock(mutex_);
  while (!stopping_ && !failure_) {
    const bool hurried = look_now_;
    const auto due = looked + (hurried ? look_interval_min : config_.look_interval);
    changed_.wait_until(lock, due, [&] { return stopping_ || wake_ || look_now_ != hurried; });
    if (std::exchange(wake_, false)) {
      lock.unlock();
      wake_fetcher_();
      lock.lock();
    }
    if (stopping_ || std::chrono::steady_clock::now() < due) continue;
    const bool recheck =
        hurried || std::chrono::steady_clock::now() - rechecked >= config_.recheck_interval;
    look_now_ = false;
    lock.unlock();
    const auto answer = look(recheck);
    looked = std::chrono::steady_clock::now();
    if (recheck && answer) rechecked = looked;
    lock.lock();
    if (!answer && answer.error().code == ErrorCode::refused) failure_ = answer.error();
  }
}

Result<void> KafkaWatch::look(bool recheck) {
  std::vector<KafkaPosition> positions;
  {
    const std::lock_guard lock(mutex_);
    positions = positions_;
  }
  TRY(look_for_topic(positions.size()));
  TRY(auto logs, probe_.ask_logs());
  for (const auto& position : positions) {
    auto& log = logs[static_cast<size_t>(position.partition)];
    // A log that begins later is no loss here: what lies before may have been fetched already.
    // The fetcher itself finds out where it is not.
    log.begin = 0;
    TRY(probe_.check_offset(position.partition, position.next_offset, log));
  }
  if (recheck) return confirm();
  return success();
}

Result<void> KafkaWatch::confirm() {
  const std::lock_guard probing(probing_);
  std::vector<KafkaPosition> positions;
  std::vector<KafkaPosition> marks;
  {
    const std::lock_guard lock(mutex_);
    positions = positions_;
    marks = marks_;
  }
  TRY(const auto unchecked, probe_.check_records(marks));
  const std::lock_guard lock(mutex_);
  marks_ = std::move(positions);
  unchecked_ = unchecked;
  return success();
}

Result<void> KafkaWatch::look_for_topic(size_t partition_count) {
  const auto count = probe_.ask_partition_count();
  if (count) {
    gone_since_.reset();
    return probe_.check_partition_count(partition_count, count.value());
  }
  if (count.error().code != ErrorCode::not_found) return count.error();
  const auto now = std::chrono::steady_clock::now();
  if (!gone_since_) gone_since_ = now;
  if (now - *gone_since_ < gone_after) {
    look_now();
    return count.error();
  }
  return probe_.refused("the topic is gone from the cluster");
}

}  // namespace gauger::ingest
