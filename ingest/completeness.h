// Up to when a log has been read. Now and then each partition is asked where it ends; once it has
// been read to that place, it is complete for the time of the question, whether or not anything
// was in it. An idle partition therefore does not keep a period open.
//
// One thread. A cluster that does not answer leaves things as they are: completeness waits.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "ingest/source.h"
#include "schemas/instant.h"
#include "schemas/limits.h"

namespace gauger::ingest {

class CompletenessWatch {
 public:
  explicit CompletenessWatch(const Source& source,
                             std::chrono::milliseconds interval = limits::completeness_interval)
      : source_(source), interval_(interval), questions_(source.partitions().size()) {}

  // Asks, if it is time to. `now` is the ledger's clock.
  void ask(Instant now) {
    const auto tick = std::chrono::steady_clock::now();
    if (tick < due_) return;
    due_ = tick + interval_;
    const auto ends = source_.end_offsets();
    if (!ends || ends.value().size() != questions_.size()) return;
    // A partition that lags keeps its older question: it would never catch up with newer ones.
    for (size_t slot = 0; slot < questions_.size(); ++slot)
      if (!questions_[slot]) questions_[slot] = Question{now, ends.value()[slot]};
  }

  // Calls `visit(slot, time)` for every partition that has been read to where it ended.
  template <class Visit>
  void reached(std::span<const int64_t> next_offsets, Visit visit) {
    for (uint32_t slot = 0; slot < questions_.size(); ++slot) {
      if (!questions_[slot] || next_offsets[slot] < questions_[slot]->end) continue;
      visit(slot, questions_[slot]->asked);
      questions_[slot].reset();
    }
  }

 private:
  struct Question {
    Instant asked;
    int64_t end;
  };

  const Source& source_;
  const std::chrono::milliseconds interval_;
  std::chrono::steady_clock::time_point due_{};
  std::vector<std::optional<Question>> questions_;  // by slot
};

}  // namespace gauger::ingest
