// Memory that was used once and is wanted again: what one stage is done with goes back to the stage
// that fills it. It is in place already, where fresh memory is asked for page by page. Any thread.
#pragma once

#include <mutex>
#include <vector>

namespace gauger::ledger {

// T is a container that moves; what is given back is empty, with room.
template <class T>
class SpareMemory {
 public:
  explicit SpareMemory(size_t kept_max) : kept_max_(kept_max) {}

  // With room where there is some to spare.
  T take() {
    const std::lock_guard lock(mutex_);
    if (kept_.empty()) return {};
    T taken = std::move(kept_.back());
    kept_.pop_back();
    return taken;
  }
  void give_back(T&& empty) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() < kept_max_) kept_.push_back(std::move(empty));
  }

 private:
  const size_t kept_max_;
  std::mutex mutex_;
  std::vector<T> kept_;
};

}  // namespace gauger::ledger
