#include "ledger/dictionary.h"

#include <algorithm>
#include <mutex>

namespace gauger::ledger {
namespace {
constexpr size_t slots_at_start = 1U << 12;
constexpr size_t arena_chunk_bytes = 1U << 18;
}  // namespace

StringDictionary::StringDictionary() : slots_(slots_at_start), mask_(slots_at_start - 1) {
  texts_.push_back({});
}

std::optional<StringId> StringDictionary::find(std::string_view text) const {
  if (text.empty()) return StringId{0};
  const auto hash = hash64(text);
  const std::shared_lock lock(slots_mutex_);
  for (auto at = hash & mask_; slots_[at] != 0; at = (at + 1) & mask_) {
    const auto id = static_cast<uint32_t>(slots_[at]);
    if (slots_[at] >> 32 == hash >> 32 && texts_[id] == text) return StringId{id};
  }
  return std::nullopt;
}

std::string_view StringDictionary::keep(std::string_view text) {
  if (text.size() > arena_left_) {
    arena_left_ = std::max(arena_chunk_bytes, text.size());
    arena_.push_back(std::make_unique<char[]>(arena_left_));
    arena_at_ = arena_.back().get();
  }
  std::memcpy(arena_at_, text.data(), text.size());
  const std::string_view kept(arena_at_, text.size());
  arena_at_ += text.size();
  arena_left_ -= text.size();
  return kept;
}

std::optional<StringId> StringDictionary::insert(std::string_view text, uint64_t hash) {
  if (size() >= limits::dictionary_strings_max) return std::nullopt;
  const std::unique_lock lock(slots_mutex_);
  if (size_t{size()} * 2 >= slots_.size()) grow();
  const auto id = size();
  texts_.push_back(keep(text));
  auto at = hash & mask_;
  while (slots_[at] != 0) at = (at + 1) & mask_;
  slots_[at] = (hash >> 32 << 32) | id;
  return StringId{id};
}

void StringDictionary::grow() {
  std::vector<uint64_t> larger(slots_.size() * 2);
  mask_ = larger.size() - 1;
  for (uint32_t id = 1; id < size(); ++id) {
    const auto hash = hash64(texts_[id]);
    auto at = hash & mask_;
    while (larger[at] != 0) at = (at + 1) & mask_;
    larger[at] = (hash >> 32 << 32) | id;
  }
  slots_ = std::move(larger);
}

KeyDictionary::KeyDictionary() : slots_(size_t{1} << slots_log2_at_start) {
  static_assert(uint64_t{limits::dictionary_keys_max} * 4 <= uint64_t{1} << 32,
                "a tag has bits for every slot");
}

std::optional<uint32_t> KeyDictionary::insert(const UsageKey& key, uint64_t hash) {
  if (size() >= limits::dictionary_keys_max) return std::nullopt;
  if (size_t{size()} * 2 >= slots_.size()) grow();
  const auto id = size();
  keys_.push_back(key);
  place((hash >> 32 << 32) | (id + 1));
  return id;
}

void KeyDictionary::place(uint64_t slot) {
  auto at = home_of(slot >> 32);
  while (slots_[at] != 0) at = next(at);
  slots_[at] = slot;
}

void KeyDictionary::grow() {
  const auto slots = std::move(slots_);
  slots_ = LargeTable<uint64_t>(slots.size() * 2);
  --shift_;
  for (const auto slot : slots)
    if (slot != 0) place(slot);
}

}  // namespace gauger::ledger
