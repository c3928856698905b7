#include "ledger/waiting.h"

#include <algorithm>

#include "ledger/bytes.h"

namespace gauger::ledger {
namespace {

std::string waiting_key(Fingerprint target, uint64_t row) {
  std::string key = "W";
  put_key_u64(key, target);
  put_key_u64(key, row);
  return key;
}

}  // namespace

// Byte table of the value: u8 kind, u8 outcome, u32 namespace, u32 source, text id.
void Waiting::add(Fingerprint target, WaitingAmendment amendment, WriteSet& writes) {
  std::string value;
  put(value, static_cast<uint8_t>(amendment.kind));
  put(value, static_cast<uint8_t>(amendment.outcome));
  put(value, amendment.name_space.value);
  put(value, amendment.source.value);
  put_text(value, amendment.id);
  writes.put(Family::amendments, waiting_key(target, amendment.row), std::move(value));
  by_fingerprint_.emplace(target, std::move(amendment));
}

std::vector<WaitingAmendment> Waiting::take(Fingerprint target, StringId name_space,
                                            StringId source, std::string_view id,
                                            WriteSet& writes) {
  std::vector<WaitingAmendment> taken;
  const auto [first, last] = by_fingerprint_.equal_range(target);
  for (auto at = first; at != last;) {
    const auto& waits = at->second;
    if (waits.name_space == name_space && waits.source == source && waits.id == id) {
      writes.remove(Family::amendments, waiting_key(target, waits.row));
      taken.push_back(std::move(at->second));
      at = by_fingerprint_.erase(at);
    } else {
      ++at;
    }
  }
  std::sort(taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
  return taken;
}

Result<void> Waiting::load(const Store& store) {
  return store.scan(Family::amendments, "W", "X",
                    [&](std::string_view key, std::string_view value) -> Result<bool> {
                      ByteReader key_reader(key.substr(1));
                      const auto target = key_reader.get_key_u64();
                      WaitingAmendment waits{};
                      waits.row = key_reader.get_key_u64();
                      ByteReader reader(value);
                      const auto kind = reader.get<uint8_t>();
                      const auto outcome = reader.get<uint8_t>();
                      waits.kind = static_cast<EventKind>(kind);
                      waits.outcome = static_cast<Outcome>(outcome);
                      waits.name_space.value = reader.get<uint32_t>();
                      waits.source.value = reader.get<uint32_t>();
                      waits.id = std::string(reader.text());
                      if (!key_reader.complete() || !reader.complete() || kind > 2 || outcome > 3)
                        return corruption("a waiting amendment is damaged");
                      by_fingerprint_.emplace(target, std::move(waits));
                      return true;
                    });
}

}  // namespace gauger::ledger
