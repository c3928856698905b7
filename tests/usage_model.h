// What the ledger promises of events, in the plainest form: the oracle of property tests and of
// the simulator. One namespace, one source.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger/columns.h"
#include "schemas/usage_event.h"

namespace gauger::testing {

struct ModelEvent {
  ledger::EventKind kind = ledger::EventKind::usage;
  std::string id;
  std::string target;    // of a retraction or an outcome
  int64_t content = 0;   // input tokens, or an outcome
  int64_t time = 0;      // of completion: no part of the content
  std::string reserves;  // the reservation that it names
};

class UsageModel {
 public:
  struct Usage {
    int64_t input = 0;
    int64_t time = 0;
    Outcome outcome = Outcome::absent;
    bool retracted = false;
    bool operator==(const Usage&) const = default;
  };

  ledger::Disposition apply(const ModelEvent& event) {
    using ledger::Disposition;
    // Nothing is about itself.
    if (event.target == event.id) return Disposition::quarantined;
    if (const auto known = known_.find(event.id); known != known_.end())
      return compare(known->second, event);  // the first one stands
    if (event.kind != ledger::EventKind::usage) {
      const auto fate = amend(event);
      if (fate != Disposition::accepted) return fate;
    }
    known_[event.id] = event;
    fresh_.push_back(event.id);
    if (event.kind != ledger::EventKind::usage) return Disposition::accepted;
    usage_[event.id] = {event.content, event.time};
    for (const auto& waited : std::exchange(waiting_[event.id], {})) amend_usage(waited);
    waiting_.erase(event.id);
    return Disposition::accepted;
  }

  // What was accepted since the last call lies in this block.
  void seal(uint64_t block) {
    for (auto& id : fresh_) block_of_[std::move(id)] = block;
    fresh_.clear();
  }
  // Of these blocks identities and sums stay, and single events are gone: nothing amends them.
  void archive_through(uint64_t block) { archived_through_ = block; }

  const std::map<std::string, Usage>& usage() const { return usage_; }
  size_t waiting() const {
    size_t sum = 0;
    for (const auto& [target, events] : waiting_) sum += events.size();
    return sum;
  }

 private:
  static ledger::Disposition compare(const ModelEvent& known, const ModelEvent& event) {
    using ledger::Disposition;
    if (known.kind != event.kind || known.target != event.target ||
        known.content != event.content || known.reserves != event.reserves)
      return Disposition::conflict;
    return known.time == event.time ? Disposition::duplicate : Disposition::restamped;
  }
  // What becomes of a retraction or an outcome; one that is not accepted consumes no identity.
  ledger::Disposition amend(const ModelEvent& event) {
    using ledger::Disposition;
    const auto target = known_.find(event.target);
    if (target == known_.end()) {
      waiting_[event.target].push_back(event);
      return Disposition::accepted;
    }
    const auto block = block_of_.find(event.target);
    if (block != block_of_.end() && block->second <= archived_through_)
      return Disposition::quarantined;
    if (target->second.kind != ledger::EventKind::usage) return Disposition::quarantined;
    const bool again = usage_[event.target].retracted;
    amend_usage(event);
    return again && event.kind == ledger::EventKind::retraction ? Disposition::duplicate
                                                                : Disposition::accepted;
  }
  void amend_usage(const ModelEvent& event) {
    auto& usage = usage_[event.target];
    if (usage.retracted) return;
    if (event.kind == ledger::EventKind::retraction)
      usage.retracted = true;
    else
      usage.outcome = static_cast<Outcome>(event.content);
  }

  std::map<std::string, ModelEvent> known_;
  std::map<std::string, Usage> usage_;
  std::map<std::string, std::vector<ModelEvent>> waiting_;
  std::vector<std::string> fresh_;
  std::map<std::string, uint64_t> block_of_;
  uint64_t archived_through_ = 0;
};

}  // namespace gauger::testing
