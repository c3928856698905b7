#include "ledger/rollup_codec.h"

#include <zstd.h>

#include <algorithm>

#include "ledger/bytes.h"
#include "ledger/config.h"
#include "ledger/hash.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view magic = "GJR1";
constexpr size_t checksum_at = 36;
constexpr size_t header_bytes = 44;
constexpr uint32_t body_bytes_max = 1U << 30;

uint64_t checksum_of(std::string_view bytes) {
  return hash64(bytes.substr(header_bytes), hash64(bytes.substr(0, checksum_at)));
}

MeterMask nonzero(const Counts& counts) {
  unsigned mask = 0;
  for (unsigned i = 0; i < meter_count; ++i) mask |= unsigned{counts[i] != 0} << i;
  return static_cast<MeterMask>(mask);
}

constexpr size_t cell_bytes_max = (2 + meter_count) * varint_bytes_max + sizeof(MeterMask);
constexpr size_t extra_bytes_max = 3 * varint_bytes_max;

// Writes the body; returns its end.
char* write_body(std::span<const Cell> cells, std::span<const ExtraCell> extras, char* at) {
  Place before = 0;
  for (const auto& cell : cells) {
    at = write_varint(at, cell.place - before);
    before = cell.place;
  }
  for (const auto& cell : cells) at = write_varint(at, zigzag(cell.requests));
  auto* const masks = at;
  at += cells.size() * sizeof(MeterMask);
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto& counts = cells[i].counts;
    const auto mask = nonzero(counts);
    std::memcpy(masks + i * sizeof mask, &mask, sizeof mask);
    for (unsigned left = mask; left != 0; left &= left - 1)
      at = write_varint(at, zigzag(counts[static_cast<size_t>(__builtin_ctz(left))]));
  }
  before = 0;
  for (const auto& extra : extras) {
    at = write_varint(at, extra.place - before);
    before = extra.place;
    at = write_varint(at, extra.name.value);
    at = write_varint(at, zigzag(extra.count));
  }
  return at;
}

Result<void> read_body(std::string_view body, uint32_t cells, uint32_t extras, Change& change) {
  const auto damaged = [] { return corruption("a rollup segment is damaged"); };
  ByteReader reader(body);
  if (cells > body.size() || extras > body.size()) return damaged();
  change.cells.resize(cells);
  Place before = 0;
  for (auto& cell : change.cells) cell.place = before += reader.varint();
  for (auto& cell : change.cells) cell.requests = reader.signed_varint();
  const auto masks = reader.take(cells * sizeof(MeterMask));
  if (reader.bad()) return damaged();
  for (uint32_t i = 0; i < cells; ++i) {
    MeterMask mask = 0;
    std::memcpy(&mask, masks.data() + i * sizeof mask, sizeof mask);
    if (mask >> meter_count != 0) return damaged();
    auto& counts = change.cells[i].counts;
    counts = {};
    for (unsigned left = mask; left != 0; left &= left - 1)
      counts[static_cast<size_t>(__builtin_ctz(left))] = reader.signed_varint();
  }
  change.extras.resize(extras);
  before = 0;
  for (auto& extra : change.extras) {
    extra.place = before += reader.varint();
    extra.name.value = static_cast<uint32_t>(reader.varint());
    extra.count = reader.signed_varint();
  }
  return reader.complete() ? Result<void>(success()) : Result<void>(damaged());
}

}  // namespace

std::string encode_rollup(uint64_t first_sequence, uint64_t last_sequence,
                          std::span<const Cell> cells, std::span<const ExtraCell> extras) {
  WriteBuffer raw(cells.size() * cell_bytes_max + extras.size() * extra_bytes_max);
  const auto body = raw.until(write_body(cells, extras, raw.begin()));
  const auto bound = ZSTD_compressBound(body.size());
  WriteBuffer compressed(bound);
  const auto size = ZSTD_compress(compressed.begin(), bound, body.data(), body.size(), -3);
  const bool pays = ZSTD_isError(size) == 0 && size < body.size();
  std::string out(magic);
  put(out, disk_format);
  put(out, static_cast<uint16_t>(pays));
  put(out, first_sequence);
  put(out, last_sequence);
  put(out, static_cast<uint32_t>(cells.size()));
  put(out, static_cast<uint32_t>(extras.size()));
  put(out, static_cast<uint32_t>(body.size()));
  put(out, uint64_t{0});
  out.append(pays ? compressed.until(compressed.begin() + size) : body);
  const auto checksum = checksum_of(out);
  std::memcpy(out.data() + checksum_at, &checksum, sizeof checksum);
  return out;
}

Result<Change> decode_rollup(std::string_view bytes) {
  if (bytes.size() < header_bytes || bytes.substr(0, magic.size()) != magic)
    return corruption("a rollup segment does not begin as one");
  ByteReader reader(bytes.substr(magic.size()));
  const auto format = reader.get<uint16_t>();
  if (format > disk_format)
    return Error{ErrorCode::newer_format, "a rollup segment has format " + std::to_string(format)};
  const auto codec = reader.get<uint16_t>();
  Change change;
  change.first_sequence = reader.get<uint64_t>();
  change.last_sequence = reader.get<uint64_t>();
  const auto cells = reader.get<uint32_t>();
  const auto extras = reader.get<uint32_t>();
  const auto body_bytes = reader.get<uint32_t>();
  if (reader.get<uint64_t>() != checksum_of(bytes))
    return corruption("a rollup segment does not match its checksum");
  auto body = bytes.substr(header_bytes);
  std::string decompressed;
  if (codec == 1) {
    if (body_bytes > body_bytes_max) return corruption("a rollup segment claims too much");
    decompressed.resize(body_bytes);
    const auto size =
        ZSTD_decompress(decompressed.data(), decompressed.size(), body.data(), body.size());
    if (ZSTD_isError(size) != 0 || size != body_bytes)
      return corruption("a rollup segment does not decompress");
    body = decompressed;
  }
  TRY(read_body(body, cells, extras, change));
  return change;
}

std::string segment_key(char kind, uint32_t day, uint64_t last_sequence) {
  std::string key(1, kind);
  put_key_u32(key, day);
  put_key_u64(key, last_sequence);
  return key;
}

uint32_t day_of_segment(std::string_view key) { return ByteReader(key.substr(1)).get_key_u32(); }

void each_utc_day(const Change& change, std::chrono::minutes grain, const VisitDay& visit) {
  const std::span cells(change.cells);
  const std::span extras(change.extras);
  size_t cell = 0;
  size_t extra = 0;
  while (cell < cells.size() || extra < extras.size()) {
    const auto next = std::min(cell < cells.size() ? cells[cell].place : UINT64_MAX,
                               extra < extras.size() ? extras[extra].place : UINT64_MAX);
    const auto day = utc_day_of(period_of(next), grain);
    const auto in_day = [&](Place place) { return utc_day_of(period_of(place), grain) == day; };
    auto cell_end = cell;
    while (cell_end < cells.size() && in_day(cells[cell_end].place)) ++cell_end;
    auto extra_end = extra;
    while (extra_end < extras.size() && in_day(extras[extra_end].place)) ++extra_end;
    visit(day, cells.subspan(cell, cell_end - cell), extras.subspan(extra, extra_end - extra));
    cell = cell_end;
    extra = extra_end;
  }
}

}  // namespace gauger::ledger
