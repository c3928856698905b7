#include "ledger/cut.h"

#include "ledger/bytes.h"
#include "ledger/config.h"

namespace gauger::ledger {
namespace {

constexpr auto families = {Family::positions, Family::documents, Family::amendments,
                           Family::reservations};

Error damaged() { return corruption("the record of the journal's cut is damaged"); }

// What a cut's record begins with.
struct Beginning {
  Head head;
  Instant fine_from{};
};

Result<Beginning> read_beginning(ByteReader& reader) {
  if (reader.get<uint16_t>() > disk_format)
    return Error{ErrorCode::newer_format, "the journal was cut by a newer gauger"};
  Beginning beginning;
  TRY(beginning.head, decode_head(reader.text()));
  beginning.fine_from = instant_from_us(reader.signed_varint());
  if (reader.bad()) return damaged();
  return beginning;
}

Result<Beginning> read_beginning(const Store& store) {
  TRY(const auto bytes, store.get(Family::meta, cut_key));
  if (!bytes) return Beginning{};
  ByteReader reader(*bytes);
  return read_beginning(reader);
}

}  // namespace

Result<std::string> encode(const Cut& cut) {
  std::string bytes;
  put(bytes, disk_format);
  put_text(bytes, encode(cut.head));
  put_varint(bytes, zigzag(to_us(cut.fine_from)));
  put_varint(bytes, cut.days.size());
  for (const auto& [day, sum] : cut.days) {
    put(bytes, int64_t{day});
    put(bytes, sum);
  }
  std::string entries;
  uint64_t count = 0;
  for (const auto family : families) {
    TRY(cut.beside.scan(family, {}, {},
                        [&](std::string_view key, std::string_view value) -> Result<bool> {
                          put(entries, static_cast<uint8_t>(family));
                          put_text(entries, key);
                          put_text(entries, value);
                          ++count;
                          return true;
                        }));
  }
  put_varint(bytes, count);
  bytes.append(entries);
  put(bytes, hash64(bytes));
  return bytes;
}

Result<Cut> decode_cut(std::string_view bytes) {
  if (bytes.size() < sizeof(uint64_t)) return damaged();
  const auto body = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  if (ByteReader(bytes.substr(body.size())).get<uint64_t>() != hash64(body)) return damaged();
  ByteReader reader(body);
  Cut cut;
  TRY(const auto beginning, read_beginning(reader));
  cut.head = beginning.head;
  cut.fine_from = beginning.fine_from;
  const auto days = reader.varint();
  for (uint64_t i = 0; i < days && !reader.bad(); ++i) {
    const auto day = reader.get<int64_t>();
    cut.days[static_cast<int32_t>(day)] = reader.get<uint64_t>();
  }
  const auto entries = reader.varint();
  WriteSet writes;
  for (uint64_t i = 0; i < entries && !reader.bad(); ++i) {
    const auto family = reader.get<uint8_t>();
    if (family >= family_count) return damaged();
    const auto key = reader.text();
    writes.put(static_cast<Family>(family), std::string(key), std::string(reader.text()));
  }
  if (!reader.complete()) return damaged();
  TRY(cut.beside.write_unlogged(writes));
  return cut;
}

Result<std::optional<Cut>> read_cut(const Store& store) {
  TRY(const auto bytes, store.get(Family::meta, cut_key));
  if (!bytes) return std::optional<Cut>();
  TRY(auto cut, decode_cut(*bytes));
  return std::optional<Cut>(std::move(cut));
}

Result<Head> read_cut_head(const Store& store) {
  TRY(const auto beginning, read_beginning(store));
  return beginning.head;
}

Result<Instant> read_fine_from(const Store& store) {
  TRY(const auto beginning, read_beginning(store));
  return beginning.fine_from;
}

Error archived_error(const Head& cut, const std::string& what) {
  return {ErrorCode::refused, what + " lies before " + format_instant(cut.block_time) +
                                  ", where retention archived the journal up to block " +
                                  std::to_string(cut.sequence)};
}

}  // namespace gauger::ledger
