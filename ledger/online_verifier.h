// The online verifier: folds a live ledger's journal anew, block by block at a bounded pace, and
// holds what it finds against what the ledger says: the chain, every block and its identities, the
// head's sums, and the packed rollups of each UTC day. Then it begins again. `gauger verify` asks
// more (identities, documents, positions, amendments, reservations), but not for ever.
//
// A mismatch is told and counted, never mended: the journal is the truth, `gauger rebuild` makes
// the rest anew, and a damaged journal wants a backup.
//
// Threads: one of its own between `start` and `stop`; `state` from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "ledger/config.h"
#include "ledger/head.h"
#include "ledger/rollup_sum.h"
#include "ledger/store.h"

namespace gauger::ledger {

class OnlineVerifier {
 public:
  struct Config {
    uint64_t bytes_per_second = 8U << 20;                       // of the journal and the rollups
    std::chrono::milliseconds pause = std::chrono::minutes{1};  // between two passes
  };
  struct State {
    uint64_t verified_through = 0;  // the blocks up to here were folded anew, at least once
    uint64_t passes = 0;            // over the whole journal
    uint64_t mismatches = 0;        // since the start of the process
    std::string last_finding;
  };
  using DurableHead = std::function<Head()>;
  using Told = std::function<void(const State&)>;  // after each step; on the verifier's thread

  // `store` is a ledger's that is being written; `durable` may be asked from any thread.
  OnlineVerifier(const Store& store, const LedgerConfig& config, DurableHead durable, Config pace);
  ~OnlineVerifier() { stop(); }

  void start(Told told);
  void stop();
  State state() const;

  // A whole pass at once, on the caller's thread, when no thread runs.
  void run_pass();

 private:
  // What a pass has seen so far.
  struct Pass {
    Head durable;
    Head seen;
    uint64_t rollups_through = 0;
    RollupSum stored;
    RollupSum folded;
    explicit Pass(const WholeDays& whole_days) : stored(whole_days), folded(whole_days) {}
  };

  void run();
  Result<void> pass();
  Result<void> read_rollups(Pass& pass);
  Result<void> fold_blocks(Pass& pass);
  void compare(Pass& pass);
  void find(std::string sentence);
  void advance(uint64_t sequence);
  // Takes the time that so many bytes may take. False when it is time to stop.
  bool pay(size_t bytes);
  bool wait(std::chrono::microseconds time);

  const Store& store_;
  const LedgerConfig config_;
  const DurableHead durable_;
  const Config pace_;
  Told told_;
  std::thread thread_;
  bool is_paced_ = false;  // a pass on a thread of its own
  std::chrono::microseconds owed_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  State state_;
};

}  // namespace gauger::ledger
