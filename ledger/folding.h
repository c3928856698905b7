// The folding stage: durable blocks become what is shown (fold.h, quota_book.h, projections.h), and
// what is shown is packed to disk behind it.
//
// Two threads, so that showing a block does not wait for packing those before it: one folds and
// publishes, one packs when there is enough. When packing falls behind, folding waits for it, so
// that memory is bounded. Without threads `add` does both.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "ledger/bounded_queue.h"
#include "ledger/projections.h"
#include "ledger/quota_book.h"

namespace gauger::ledger {

class Folding {
 public:
  using Folded = std::function<void(uint64_t sequence)>;
  using Failed = std::function<void(const Error&)>;

  // Blocks that are durable but not yet folded; each holds a batch in memory.
  static constexpr size_t unfolded_blocks_max = 8;

  // Calls `folded` when a block is shown.
  Folding(Projections& projections, QuotaBook& quotas, std::chrono::minutes grain, Folded folded);
  ~Folding() { stop(); }
  Folding(const Folding&) = delete;
  Folding& operator=(const Folding&) = delete;

  void start_threads(Failed failed);
  // The next durable block. Waits for room where threads run, and drops it after a failure.
  Result<void> add(std::shared_ptr<const Block> block);
  // Lets nothing more in; what waits is still folded.
  void close() { blocks_.close(); }
  void stop();

 private:
  void fold_block(const Block& block);
  void fold_loop();
  void pack_loop(const Failed& failed);
  bool wait_for_packing();

  Projections& projections_;
  QuotaBook& quotas_;
  const std::chrono::minutes grain_;
  const Folded folded_;

  BoundedQueue<std::shared_ptr<const Block>> blocks_{unfolded_blocks_max};
  std::thread folder_;
  std::thread packer_;

  std::mutex mutex_;
  std::condition_variable changed_;  // something was published or packed, or all ends
  bool ending_ = false;
};

}  // namespace gauger::ledger
