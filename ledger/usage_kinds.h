// Kinds of keys: all keys that agree in some dimensions are one kind. Kinds are keys themselves,
// with nothing but these dimensions, so that there are kinds of kinds. They are numbered in the
// order of their first key, so an order by kind is an order by first key.
//
// Grows with the dictionary, by `learn`; the rest is constant. Not thread-safe: projections.h
// locks. Figure: some 30 ns per new key, none per event.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "ledger/dictionary.h"
#include "ledger/usage_query.h"

namespace gauger::ledger {

inline constexpr DimensionMask summary_dimensions =
    mask_of(Dimension::name_space) | mask_of(Dimension::team) | mask_of(Dimension::provider) |
    mask_of(Dimension::model) | mask_of(Dimension::service_tier) |
    mask_of(Dimension::context_tier) | mask_of(Dimension::usage_source);
// What a month is asked for most, of which there are far fewer.
inline constexpr DimensionMask report_dimensions =
    mask_of(Dimension::name_space) | mask_of(Dimension::team) | mask_of(Dimension::model);
static_assert((report_dimensions & ~summary_dimensions) == 0);

class UsageKinds {
 public:
  UsageKinds(const KeyDictionary& keys, DimensionMask dimensions)
      : keys_(keys), dimensions_(dimensions) {}

  // Takes in every key that there is by now.
  void learn();

  uint32_t kind_of(uint32_t key) const { return kind_of_key_[key]; }
  uint32_t first_key_of(uint32_t kind) const { return first_keys_[kind]; }
  // The key with nothing but the kinds' dimensions.
  const UsageKey& key_of(uint32_t kind) const { return kinds_.key(kind); }
  uint32_t size() const { return kinds_.size(); }
  const KeyDictionary& kinds() const { return kinds_; }
  // Teams in the order in which they were met; none where the ledger has no usage of it.
  uint32_t teams() const { return static_cast<uint32_t>(kinds_of_team_.size()); }
  uint32_t team_of(uint32_t kind) const { return team_of_kind_[kind]; }
  std::optional<uint32_t> find_team(StringId team) const;
  // Ascending.
  std::span<const uint32_t> kinds_of_team(uint32_t team) const { return kinds_of_team_[team]; }
  uint32_t keys() const { return static_cast<uint32_t>(kind_of_key_.size()); }

 private:
  const KeyDictionary& keys_;
  const DimensionMask dimensions_;
  KeyDictionary kinds_;  // reduced keys
  std::vector<uint32_t> first_keys_;
  std::vector<uint32_t> kind_of_key_;
  std::vector<uint32_t> team_of_kind_;
  std::unordered_map<uint32_t, uint32_t> teams_;  // by name
  std::vector<std::vector<uint32_t>> kinds_of_team_;
};

}  // namespace gauger::ledger
