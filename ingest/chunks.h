// Memory for the bytes of records, in chunks that go round: what a batch was the last to hold is
// taken again. It is in place then, where fresh memory is asked for page by page.
//
// One thread takes; chunks may be let go on any thread, and outlive this.
#pragma once

#include <cstddef>
#include <memory>

#include "ledger/spare_memory.h"

namespace gauger::ingest {

class Chunks {
 public:
  explicit Chunks(size_t chunk_bytes)
      : chunk_bytes_(chunk_bytes), spare_(std::make_shared<Spare>(kept_bytes_max / chunk_bytes)) {}

  // Its bytes are whatever they were.
  std::shared_ptr<char[]> take() {
    auto memory = spare_->take();
    if (!memory) memory = std::make_unique_for_overwrite<char[]>(chunk_bytes_);
    return {memory.release(),
            [spare = spare_](char* chunk) { spare->give_back(std::unique_ptr<char[]>(chunk)); }};
  }

 private:
  using Spare = ledger::SpareMemory<std::unique_ptr<char[]>>;
  // What the batches between two commits hold, and some more.
  static constexpr size_t kept_bytes_max = size_t{32} << 20U;

  const size_t chunk_bytes_;
  const std::shared_ptr<Spare> spare_;
};

}  // namespace gauger::ingest
