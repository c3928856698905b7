// What keeps RocksDB from touching its log after a failure of it. RocksDB (7.8) ends the process by
// an assertion when a write or a sync meets a log that has failed, and says nothing of what failed.
// The ledger stops at its first error, but another of its threads may be on its way into the log in
// that instant. So the failure is told to RocksDB only once nobody is on his way any more.
//
//   LogGate gate;
//   const auto env = guard_log(disk, gate);        // the log's files report to the gate
//   const auto pass = gate.enter(LogUse::write);   // around each write
//   if (!pass) return error;                       // the log has failed
//
// Writes and syncs go on beside one another. Safe from any thread.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "ledger/disk.h"

namespace gauger::ledger {

enum class LogUse : uint8_t { write, sync };

class LogGate {
 public:
  class Pass {
   public:
    Pass(LogGate* gate, LogUse use) : gate_(gate), use_(use) {}
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave(use_);
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    LogGate* gate_;
    LogUse use_;
  };

  explicit LogGate(std::chrono::milliseconds patience = std::chrono::seconds{1})
      : patience_(patience) {}

  // False for ever once the log has failed. Syncs take turns.
  Pass enter(LogUse use);

  // The log's file failed. Returns when no use of the other kind is inside, or when patience
  // ends: a write that waits for room waits for a flush, which may wait for the sync that failed.
  void fail(LogUse use);

 private:
  void leave(LogUse use);

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::array<int, 2> inside_{};
  bool has_failed_ = false;
};

// What RocksDB sees of a disk, whose log tells the gate of its failures before it tells RocksDB.
// Disk and gate must outlive it.
std::unique_ptr<rocksdb::Env> guard_log(const Disk& disk, LogGate& gate);

}  // namespace gauger::ledger
