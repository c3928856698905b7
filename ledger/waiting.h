// Retractions and outcomes whose target has not come yet. They wait, on disk and in memory, and
// are applied when it does. Usually empty: the event path asks `any()` once per event.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ledger/columns.h"
#include "ledger/store.h"

namespace gauger::ledger {

struct WaitingAmendment {
  uint64_t row;  // of the event that waits
  EventKind kind;
  Outcome outcome;
  StringId name_space;
  StringId source;
  std::string id;  // of the target
};

class Waiting {
 public:
  bool any() const { return !by_fingerprint_.empty(); }
  bool has(Fingerprint target) const { return by_fingerprint_.contains(target); }
  size_t size() const { return by_fingerprint_.size(); }

  void add(Fingerprint target, WaitingAmendment amendment, WriteSet& writes);
  // Takes out what waits for this identity, oldest first.
  std::vector<WaitingAmendment> take(Fingerprint target, StringId name_space, StringId source,
                                     std::string_view id, WriteSet& writes);
  Result<void> load(const Store& store);

 private:
  std::unordered_multimap<Fingerprint, WaitingAmendment> by_fingerprint_;
};

}  // namespace gauger::ledger
