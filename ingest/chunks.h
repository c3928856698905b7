// Memory for the bytes of records, in chunks that go round: a chunk is in use while a batch holds
// it, and is taken again after that. It is in place then, where fresh memory is asked for page by
// page. Figure: some 20 ns per event of a file.
//
// One thread takes; chunks may be let go on any thread, and outlive this.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace gauger::ingest {

class Chunks {
 public:
  explicit Chunks(size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}

  size_t chunk_bytes() const { return chunk_bytes_; }

  // Its bytes are whatever they were.
  std::shared_ptr<char[]> take() {
    for (auto& chunk : chunks_) {
      if (chunk.use_count() != 1) continue;
      // Whoever let it go last has read it to the end by now.
      std::atomic_thread_fence(std::memory_order_acquire);
      return chunk;
    }
    auto chunk = std::make_shared_for_overwrite<char[]>(chunk_bytes_);
    if ((chunks_.size() + 1) * chunk_bytes_ <= kept_bytes_max) chunks_.push_back(chunk);
    return chunk;
  }

 private:
  // What the batches between two commits hold, and some more.
  static constexpr size_t kept_bytes_max = size_t{32} << 20U;

  const size_t chunk_bytes_;
  std::vector<std::shared_ptr<char[]>> chunks_;
};

}  // namespace gauger::ingest
