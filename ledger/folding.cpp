#include "ledger/folding.h"

namespace gauger::ledger {

Folding::Folding(Projections& projections, QuotaBook& quotas, std::chrono::minutes grain,
                 Folded folded)
    : projections_(projections), quotas_(quotas), grain_(grain), folded_(std::move(folded)) {}

void Folding::start_threads(Failed failed) {
  folder_ = std::thread([this] { fold_loop(); });
  packer_ = std::thread([this, failed = std::move(failed)] { pack_loop(failed); });
}

void Folding::stop() {
  blocks_.close();
  if (folder_.joinable()) folder_.join();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (packer_.joinable()) packer_.join();
}

Result<void> Folding::add(std::shared_ptr<const Block> block) {
  if (folder_.joinable()) {
    blocks_.push(std::move(block));
    return success();
  }
  fold_block(*block);
  return projections_.flush(false);
}

void Folding::fold_block(const Block& block) {
  auto change = projections_.take_memory();
  fold(block, grain_, change);
  quotas_.fold(change, block.reservations, block.sequence);
  projections_.publish(std::move(change), {block.first_row + block.records(), block.sequence + 1});
  folded_(block.sequence);
}

void Folding::fold_loop() {
  while (auto block = blocks_.pop()) {
    if (!wait_for_packing()) return;
    fold_block(**block);
    // Given back before the next one is waited for: its memory is wanted.
    block->reset();
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
  }
}

bool Folding::wait_for_packing() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return ending_ || projections_.unflushed_cells() < Projections::unflushed_cells_most;
  });
  return !ending_;
}

void Folding::pack_loop(const Failed& failed) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] {
      return ending_ || projections_.unflushed_cells() >= Projections::unflushed_cells_max;
    });
    if (ending_) return;
    lock.unlock();
    const auto done = projections_.flush(false);
    if (!done) failed(done.error());
    lock.lock();
    ending_ = ending_ || !done;
    changed_.notify_all();
  }
}

}  // namespace gauger::ledger
