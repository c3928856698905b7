// The dictionary beside the journal: chunks of strings and keys as they were first seen, so
// that opening a ledger need not read every block.
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

}  // namespace

void put_dictionary(WriteSet& writes, const Block& block) {
  if (!block.strings.empty()) {
    std::string chunk;
    for (const auto text : block.strings) put_text(chunk, text);
    put(chunk, hash64(chunk));
    writes.put(Family::dictionary, chunk_key('S', block.first_string), std::move(chunk));
  }
  if (!block.keys.empty()) {
    std::string chunk(reinterpret_cast<const char*>(block.keys.data()),
                      block.keys.size() * sizeof(UsageKey));
    put(chunk, hash64(chunk));
    writes.put(Family::dictionary, chunk_key('K', block.first_key), std::move(chunk));
  }
}

Result<void> load_dictionary(const Store& store, const Head& head, Dictionary& dictionary) {
  const auto load = [&](std::string_view key, std::string_view value) -> Result<bool> {
    ByteReader key_reader(key);
    const auto kind = key_reader.get<char>();
    const auto first = key_reader.get_key_u32();
    if (!key_reader.complete() || value.size() < sizeof(uint64_t)) return damaged();
    const auto body = value.substr(0, value.size() - sizeof(uint64_t));
    if (ByteReader(value.substr(body.size())).get<uint64_t>() != hash64(body)) return damaged();
    ByteReader reader(body);
    if (kind == 'S') {
      if (first >= head.strings) return true;  // beyond what the reader may see
      if (first != dictionary.strings.size()) return damaged();
      while (!reader.at_end()) dictionary.strings.intern(reader.text());
    } else {
      if (first >= head.keys) return true;
      if (first != dictionary.keys.size()) return damaged();
      while (!reader.at_end() && !reader.bad()) {
        const auto usage_key = reader.get<UsageKey>();
        dictionary.keys.intern(usage_key, KeyDictionary::hash(usage_key));
      }
    }
    if (reader.bad()) return damaged();
    return true;
  };
  TRY(store.scan(Family::dictionary, "S", "T", load));
  TRY(store.scan(Family::dictionary, "K", "L", load));
  if (dictionary.strings.size() != head.strings || dictionary.keys.size() != head.keys)
    return damaged();
  return success();
}

}  // namespace gauger::ledger
