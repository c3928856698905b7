// The dictionary beside the journal: chunks of strings and keys as they were first seen, so
// that opening a ledger need not read every block.
#include <zstd.h>

#include <algorithm>
#include <array>

#include "ledger/apply.h"
#include "ledger/bytes.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

std::string chunk_key(char kind, uint32_t first) {
  std::string key(1, kind);
  put_key_u32(key, first);
  return key;
}

Error damaged() { return corruption("the ledger's dictionary is damaged"); }

// Chunk: u32 raw bytes, zstd of them, u64 XXH3 of what is before. Mostly compressed already, for
// the block.
std::string chunk_of(const StoredSection& section) {
  std::string out;
  put(out, section.raw_bytes);
  if (section.codec == 1) {
    out.append(section.bytes);
  } else {
    const auto begin = out.size();
    out.resize(begin + ZSTD_compressBound(section.bytes.size()));
    const auto size = ZSTD_compress(out.data() + begin, out.size() - begin, section.bytes.data(),
                                    section.bytes.size(), 1);
    VERIFY(ZSTD_isError(size) == 0, "what fits its bound compresses");
    out.resize(begin + size);
  }
  put(out, hash64(out));
  return out;
}

Result<std::string> decompressed(std::string_view chunk) {
  constexpr size_t raw_bytes_max = 2 * limits::batch_bytes_max;
  if (chunk.size() < sizeof(uint32_t) + sizeof(uint64_t)) return damaged();
  const auto hashed = chunk.substr(0, chunk.size() - sizeof(uint64_t));
  if (ByteReader(chunk.substr(hashed.size())).get<uint64_t>() != hash64(hashed)) return damaged();
  ByteReader reader(hashed);
  const auto raw_bytes = reader.get<uint32_t>();
  if (raw_bytes > raw_bytes_max) return damaged();
  std::string raw(raw_bytes, '\0');
  const auto stored = reader.take(reader.left());
  const auto size = ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != raw.size()) return damaged();
  return raw;
}

// In groups, so that a table's slots are there when they are asked for.
void intern_keys(std::string_view bytes, KeyDictionary& keys) {
  constexpr size_t group = 32;
  std::array<UsageKey, group> some;
  std::array<uint64_t, group> hashes;
  while (!bytes.empty()) {
    const auto count = std::min(group, bytes.size() / sizeof(UsageKey));
    std::memcpy(some.data(), bytes.data(), count * sizeof(UsageKey));
    bytes.remove_prefix(count * sizeof(UsageKey));
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = KeyDictionary::hash(some[i]);
      keys.prefetch_slot(hashes[i]);
    }
    for (size_t i = 0; i < count; ++i) keys.intern(some[i], hashes[i]);
  }
}

}  // namespace

void put_dictionary(WriteSet& writes, const Block& block, const StoredBlock& stored) {
  if (!block.strings.empty())
    writes.put(Family::dictionary, chunk_key('S', block.first_string), chunk_of(stored.strings));
  if (!block.keys.empty())
    writes.put(Family::dictionary, chunk_key('K', block.first_key), chunk_of(stored.keys));
}

Result<void> load_dictionary(const Store& store, const Head& head, Dictionary& dictionary) {
  const auto load = [&](std::string_view key, std::string_view value) -> Result<bool> {
    ByteReader key_reader(key);
    const auto kind = key_reader.get<char>();
    const auto first = key_reader.get_key_u32();
    if (!key_reader.complete()) return damaged();
    TRY(const auto body, decompressed(value));
    ByteReader reader(body);
    if (kind == 'S') {
      if (first >= head.strings) return true;  // beyond what the reader may see
      if (first != dictionary.strings.size()) return damaged();
      while (!reader.at_end()) dictionary.strings.intern(reader.text());
    } else {
      if (first >= head.keys) return true;
      if (first != dictionary.keys.size()) return damaged();
      if (body.size() % sizeof(UsageKey) != 0) return damaged();
      intern_keys(body, dictionary.keys);
      return true;
    }
    if (reader.bad()) return damaged();
    return true;
  };
  dictionary.keys.reserve(head.keys);
  TRY(store.scan(Family::dictionary, "S", "T", load));
  TRY(store.scan(Family::dictionary, "K", "L", load));
  if (dictionary.strings.size() != head.strings || dictionary.keys.size() != head.keys)
    return damaged();
  return success();
}

}  // namespace gauger::ledger
