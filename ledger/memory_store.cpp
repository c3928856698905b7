#include "ledger/memory_store.h"

#include <algorithm>

namespace gauger::ledger {

void MemoryStore::apply(State& state, const WriteSet& set) {
  for (const auto& write : set.writes) {
    auto& map = state[static_cast<size_t>(write.family)];
    if (write.value)
      map[write.key] = *write.value;
    else
      map.erase(write.key);
  }
}

Result<void> MemoryStore::write(const WriteSet& set) {
  apply(state_, set);
  unsynced_.push_back(set);
  return success();
}

Result<void> MemoryStore::sync() {
  for (const auto& set : unsynced_) apply(synced_, set);
  unsynced_.clear();
  return success();
}

Result<void> MemoryStore::write_projection(const WriteSet& set) {
  apply(state_, set);
  apply(synced_, set);
  return success();
}

Result<void> MemoryStore::write_unlogged(const WriteSet& set) { return write_projection(set); }

Result<void> MemoryStore::remove_range(Family family, std::string_view from,
                                       std::string_view until) {
  for (auto* state : {&state_, &synced_}) {
    auto& map = (*state)[static_cast<size_t>(family)];
    map.erase(map.lower_bound(from), map.lower_bound(until));
  }
  return success();
}

Result<void> MemoryStore::discard(Family family, std::string_view from, std::string_view until) {
  return remove_range(family, from, until);
}

void MemoryStore::lose_unsynced(size_t keep) {
  for (size_t i = 0; i < std::min(keep, unsynced_.size()); ++i) apply(synced_, unsynced_[i]);
  unsynced_.clear();
  state_ = synced_;
}

Result<std::optional<std::string>> MemoryStore::get(Family family, std::string_view key) const {
  const auto& map = state_[static_cast<size_t>(family)];
  const auto found = map.find(key);
  if (found == map.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

Result<std::optional<Store::Entry>> MemoryStore::at_or_before(Family family,
                                                              std::string_view key) const {
  const auto& map = state_[static_cast<size_t>(family)];
  auto found = map.upper_bound(key);
  if (found == map.begin()) return std::optional<Entry>();
  --found;
  return std::optional<Entry>(Entry{found->first, found->second});
}

std::unique_ptr<Store::Seeker> MemoryStore::seeker(Family family) const {
  class MapSeeker final : public Seeker {
   public:
    MapSeeker(const MemoryStore& store, Family family) : store_(store), family_(family) {}
    Result<std::optional<EntryView>> at_or_after(std::string_view key) override {
      at_ = map().lower_bound(key);
      return entry();
    }
    Result<std::optional<EntryView>> next() override {
      ++at_;
      return entry();
    }

   private:
    const Map& map() const { return store_.state_[static_cast<size_t>(family_)]; }
    std::optional<EntryView> entry() const {
      if (at_ == map().end()) return std::nullopt;
      return EntryView{at_->first, at_->second};
    }
    const MemoryStore& store_;
    const Family family_;
    Map::const_iterator at_;
  };
  return std::make_unique<MapSeeker>(*this, family);
}

Result<void> MemoryStore::scan(Family family, std::string_view from, std::string_view until,
                               const Visit& visit) const {
  const auto& map = state_[static_cast<size_t>(family)];
  for (auto at = map.lower_bound(from); at != map.end(); ++at) {
    if (!until.empty() && at->first >= until) break;
    TRY(const bool more, visit(at->first, at->second));
    if (!more) break;
  }
  return success();
}

}  // namespace gauger::ledger
