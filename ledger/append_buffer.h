// A growing array that is written from its end on, without being zeroed first: room is asked for,
// written, and then taken. `behind` more may always be read behind the last one. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

namespace gauger::ledger {

template <class T, size_t behind = 0>
class AppendBuffer {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  AppendBuffer() = default;
  AppendBuffer(const AppendBuffer& other) { append(other.begin(), other.size()); }
  AppendBuffer(AppendBuffer&& other) noexcept { swap(other); }
  AppendBuffer& operator=(AppendBuffer other) noexcept {
    swap(other);
    return *this;
  }
  ~AppendBuffer() = default;

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  const T* begin() const { return memory_.get(); }
  const T* end() const { return begin() + size_; }
  T& operator[](size_t at) { return memory_[at]; }
  const T& operator[](size_t at) const { return memory_[at]; }

  // The end, with memory for `count` more behind it.
  T* room(size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(size_ + count);
    return memory_.get() + size_;
  }
  // Of the room, so many were written.
  void take(size_t count) { size_ += count; }
  void append(const T* values, size_t count) {
    if (count == 0) return;
    std::memcpy(room(count), values, count * sizeof(T));
    take(count);
  }
  void resize_down(size_t size) { size_ = size; }

  void swap(AppendBuffer& other) noexcept {
    memory_.swap(other.memory_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  [[gnu::noinline]] void grow(size_t wanted) {
    const auto capacity = std::max(wanted, capacity_ + capacity_ / 2);
    auto memory = std::make_unique_for_overwrite<T[]>(capacity + behind);
    if (size_ != 0) std::memcpy(memory.get(), memory_.get(), size_ * sizeof(T));
    memory_ = std::move(memory);
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> memory_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace gauger::ledger
