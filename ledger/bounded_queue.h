// A queue between two stages, with a limit: the faster stage waits for the slower one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace gauger::ledger {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t limit) : limit_(limit) {}

  // Waits for room. False when the queue is closed.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return items_.size() < limit_ || closed_; });
    if (closed_) return false;
    items_.push_back(std::move(value));
    some_.notify_one();
    return true;
  }
  // Waits for an item until the deadline; none then, or when the queue is closed and empty.
  std::optional<T> pop_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    some_.wait_until(lock, deadline, [&] { return !items_.empty() || closed_ || woken_; });
    return take();
  }
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    some_.wait(lock, [&] { return !items_.empty() || closed_ || woken_; });
    return take();
  }
  // Lets the popping thread look around although nothing came.
  void wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    some_.notify_one();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    some_.notify_all();
    room_.notify_all();
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return items_.empty();
  }
  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }

 private:
  std::optional<T> take() {
    woken_ = false;
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  const size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable some_;
  std::condition_variable room_;
  std::deque<T> items_;
  bool closed_ = false;
  bool woken_ = false;
};

}  // namespace gauger::ledger
