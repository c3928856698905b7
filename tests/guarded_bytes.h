// Bytes that end where their memory does: whoever reads beyond them is killed on the spot, in
// every build. One holds one text at a time.
#pragma once

#include <sys/mman.h>

#include <cstring>
#include <string_view>

#include "schemas/verify.h"

namespace gauger {

class GuardedBytes {
 public:
  GuardedBytes() {
    auto* const pages = mmap(nullptr, capacity + page_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VERIFY(pages != MAP_FAILED, "there is memory for a test");
    begin_ = static_cast<char*>(pages);
    VERIFY(mprotect(begin_ + capacity, page_bytes, PROT_NONE) == 0, "a page can be closed");
  }
  ~GuardedBytes() { munmap(begin_, capacity + page_bytes); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  std::string_view hold(std::string_view bytes) {
    VERIFY(bytes.size() <= capacity, "the bytes fit");
    auto* const at = begin_ + capacity - bytes.size();
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

 private:
  static constexpr size_t page_bytes = size_t{1} << 16;  // a multiple of every machine's
  static constexpr size_t capacity = size_t{64} << 16;

  char* begin_;
};

}  // namespace gauger
