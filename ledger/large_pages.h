// Memory for tables that are asked at random places: large ones lie on large pages where the
// system has them, so that a question misses the cache but not the translation of its address.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace gauger::ledger {

template <class T>
class LargePages {
 public:
  using value_type = T;

  LargePages() = default;
  template <class Other>
  explicit LargePages(const LargePages<Other>&) {}

  T* allocate(size_t count) {
    const auto bytes = count * sizeof(T);
    if (bytes < page_bytes) return static_cast<T*>(::operator new(bytes));
    const auto rounded = (bytes + page_bytes - 1) / page_bytes * page_bytes;
    auto* const memory = std::aligned_alloc(page_bytes, rounded);
    if (memory == nullptr) throw std::bad_alloc();
    // Only advice: where it is refused, small pages do.
    static_cast<void>(::madvise(memory, rounded, MADV_HUGEPAGE));
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) {
    if (count * sizeof(T) < page_bytes)
      ::operator delete(memory);
    else
      std::free(memory);
  }
  bool operator==(const LargePages&) const = default;

 private:
  static constexpr size_t page_bytes = 2U << 20;
};

template <class T>
using LargeTable = std::vector<T, LargePages<T>>;

}  // namespace gauger::ledger
