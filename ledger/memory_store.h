// The store of tests and simulation: ordered maps, one per family. `lose_unsynced` does what a
// power cut does. Single-threaded but for concurrent reads.
#pragma once

#include <array>
#include <map>

#include "ledger/store.h"

namespace gauger::ledger {

class MemoryStore final : public Store {
 public:
  Result<void> write(const WriteSet& set) override;
  Result<void> sync() override;
  Result<void> write_projection(const WriteSet& set) override;
  Result<void> write_unlogged(const WriteSet& set) override;
  Result<void> remove_range(Family family, std::string_view from, std::string_view until) override;
  Result<void> discard(Family family, std::string_view from, std::string_view until) override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
  Result<std::optional<Entry>> at_or_before(Family family, std::string_view key) const override;
  std::unique_ptr<Seeker> seeker(Family family) const override;
  Result<void> scan(Family family, std::string_view from, std::string_view until,
                    const Visit& visit) const override;

  // Forgets every write after the last sync, but `keep` of them: what a power cut may leave.
  void lose_unsynced(size_t keep = 0);
  size_t unsynced() const { return unsynced_.size(); }

 private:
  using Map = std::map<std::string, std::string, std::less<>>;
  using State = std::array<Map, family_count>;
  static void apply(State& state, const WriteSet& set);

  State state_;
  State synced_;
  std::vector<WriteSet> unsynced_;
};

}  // namespace gauger::ledger
