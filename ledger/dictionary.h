// The ledger's dictionary: strings to 32-bit ids and usage keys to 32-bit ids, in the order in
// which they were first seen. Ids are dense, stable for ever, and part of the journal. What is
// unique to one event (ids, request ids) is never interned.
//
// One thread interns. Other threads may read entries that were handed to them (through a lock
// or a queue) by the interning thread, since entries never move, and may `find` strings.
//
// Figures: a string that is known costs some 5 ns, a key with its slot prefetched some 20 ns.
#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <vector>

#include "ledger/hash.h"
#include "ledger/large_pages.h"
#include "schemas/limits.h"
#include "schemas/usage_key.h"
#include "schemas/verify.h"

namespace gauger::ledger {

// A growing array whose elements never move: chunks behind a fixed table of pointers.
template <class T, unsigned chunk_log2, size_t chunks_max>
class ChunkedArray {
 public:
  static constexpr size_t chunk_size = size_t{1} << chunk_log2;
  static constexpr size_t capacity = chunk_size * chunks_max;

  void push_back(const T& value) {
    const auto at = size_.load(std::memory_order_relaxed);
    VERIFY(at < capacity, "the array has room");
    auto& chunk = chunks_[at >> chunk_log2];
    if (!chunk) chunk = Chunk(LargePages<T>().allocate(chunk_size));
    std::construct_at(&chunk[at & (chunk_size - 1)], value);
    size_.store(at + 1, std::memory_order_release);
  }
  const T& operator[](size_t at) const { return chunks_[at >> chunk_log2][at & (chunk_size - 1)]; }
  size_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  struct FreeChunk {
    void operator()(T* chunk) const { LargePages<T>().deallocate(chunk, chunk_size); }
  };
  using Chunk = std::unique_ptr<T[], FreeChunk>;

  std::vector<Chunk> chunks_ = std::vector<Chunk>(chunks_max);
  std::atomic<size_t> size_{0};
};

class StringDictionary {
 public:
  StringDictionary();

  // The id of the text, new where it was not known. None when the dictionary is full.
  std::optional<StringId> intern(std::string_view text) {
    if (text.empty()) return StringId{0};
    const auto hash = hash64(text);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    for (auto at = hash & mask_;; at = (at + 1) & mask_) {
      const auto slot = slots_[at];
      if (slot == 0) return insert(text, hash);
      if (static_cast<uint32_t>(slot >> 32) == tag) {
        const auto id = static_cast<uint32_t>(slot);
        if (texts_[id] == text) return StringId{id};
      }
    }
  }
  // The id of a known text. From any thread.
  std::optional<StringId> find(std::string_view text) const;
  std::string_view text(StringId id) const { return texts_[id.value]; }
  uint32_t size() const { return static_cast<uint32_t>(texts_.size()); }

 private:
  std::optional<StringId> insert(std::string_view text, uint64_t hash);
  void grow();
  std::string_view keep(std::string_view text);

  // Held by the interning thread where it changes the slots, by others where they look.
  mutable std::shared_mutex slots_mutex_;
  // Slot: the upper half of the hash, then the id; 0 is empty (id 0 has no slot).
  std::vector<uint64_t> slots_;
  uint64_t mask_;
  ChunkedArray<std::string_view, 12, (limits::dictionary_strings_max >> 12) + 1> texts_;
  std::vector<std::unique_ptr<char[]>> arena_;
  size_t arena_left_ = 0;
  char* arena_at_ = nullptr;
};

// Interned usage keys.
class KeyDictionary {
 public:
  KeyDictionary();

  static uint64_t hash(const UsageKey& key) {
    return hash64({reinterpret_cast<const char*>(&key), sizeof key});
  }
  void prefetch_slot(uint64_t hash) const { __builtin_prefetch(&slots_[home_of(hash >> 32)]); }
  // After prefetch_slot has had its time: the key that the slot most likely names.
  void prefetch_key(uint64_t hash) const {
    const auto slot = slots_[home_of(hash >> 32)];
    if (slot == 0) return;
    const auto* const key = reinterpret_cast<const char*>(&keys_[static_cast<uint32_t>(slot) - 1]);
    __builtin_prefetch(key);
    __builtin_prefetch(key + sizeof(UsageKey) - 1);
  }
  // Makes room for so many keys at once.
  void reserve(size_t keys) {
    while (keys * 2 >= slots_.size()) grow();
  }
  std::optional<uint32_t> intern(const UsageKey& key, uint64_t hash) {
    const auto tag = static_cast<uint32_t>(hash >> 32);
    for (auto at = home_of(tag);; at = next(at)) {
      const auto slot = slots_[at];
      if (slot == 0) return insert(key, hash);
      if (static_cast<uint32_t>(slot >> 32) == tag) {
        const auto id = static_cast<uint32_t>(slot) - 1;
        if (std::memcmp(&keys_[id], &key, sizeof key) == 0) return id;
      }
    }
  }
  const UsageKey& key(uint32_t id) const { return keys_[id]; }
  uint32_t size() const { return static_cast<uint32_t>(keys_.size()); }

 private:
  static constexpr unsigned slots_log2_at_start = 12;

  // The tag's upper bits say where, so that growing asks no key and goes through memory in order.
  size_t home_of(uint64_t tag) const { return tag >> shift_; }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  std::optional<uint32_t> insert(const UsageKey& key, uint64_t hash);
  void place(uint64_t slot);
  void grow();

  // Slot: the tag, which is the upper half of the hash, then the id plus one; 0 is empty.
  LargeTable<uint64_t> slots_;
  unsigned shift_ = 32 - slots_log2_at_start;
  // Chunks of three large pages.
  ChunkedArray<UsageKey, 17, (limits::dictionary_keys_max >> 17) + 1> keys_;
};

struct Dictionary {
  StringDictionary strings;
  KeyDictionary keys;
};

}  // namespace gauger::ledger
