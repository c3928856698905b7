#include "ledger/rollup_codec.h"

#include <zstd.h>

#include <algorithm>
#include <bit>

#include "ledger/config.h"
#include "ledger/hash.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view magic = "GJR1";
constexpr size_t checksum_at = 36;
constexpr size_t header_bytes = 44;
constexpr uint32_t body_bytes_max = 1U << 30;

uint64_t checksum_of(std::string_view bytes) {
  return hash64(bytes.substr(header_bytes), hash64(bytes.substr(0, checksum_at)));
}

Error damaged() { return corruption("a rollup segment is damaged"); }

struct ContextDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// Where the last of `count` varints ends; null where there are fewer.
const char* skip_varints(const char* at, const char* end, uint64_t count) {
  for (; end - at >= 8; at += 8) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    const auto ends = static_cast<uint64_t>(std::popcount(~bytes & varint_marks));
    if (ends >= count) break;
    count -= ends;
  }
  for (; count != 0 && at != end; ++at) count -= (static_cast<uint8_t>(*at) & 0x80U) == 0;
  return count == 0 ? at : nullptr;
}

void append_varint(AppendBuffer<char>& out, uint64_t value) {
  auto* const at = out.room(varint_bytes_max);
  out.take(static_cast<size_t>(write_varint(at, value) - at));
}

}  // namespace

void RollupWriter::add(const CellView& cell) {
  append_varint(places_, cell.place - before_);
  before_ = cell.place;
  append_varint(requests_, zigzag(cell.requests()));
  masks_.append(reinterpret_cast<const char*>(&cell.mask), sizeof cell.mask);
  auto* const begin = values_.room(meter_count * varint_bytes_max);
  auto* at = begin;
  for (size_t i = 1; i < cell.size(); ++i) at = write_varint(at, zigzag(cell.values[i]));
  values_.take(static_cast<size_t>(at - begin));
  ++cells_;
}

void RollupWriter::add(Place place, const Sum& sum) {
  if (sum.is_zero()) return;
  std::array<int64_t, CellView::values_max> values;
  add({place, sum.pack(values.data()), values.data()});
}

void RollupWriter::add(const Cells& cells, size_t from, size_t until) {
  for (auto at = from; at < until; ++at) add(cells[at]);
}

std::string_view RollupWriter::compressed(std::string_view body) {
  static thread_local const std::unique_ptr<ZSTD_CCtx, ContextDeleter> context(ZSTD_createCCtx());
  const auto bound = ZSTD_compressBound(body.size());
  compressed_.resize_down(0);
  auto* const out = compressed_.room(bound);
  const auto size = ZSTD_compressCCtx(context.get(), out, bound, body.data(), body.size(), -3);
  return ZSTD_isError(size) == 0 && size < body.size() ? std::string_view(out, size) : body;
}

std::string RollupWriter::finish(uint64_t first_sequence, uint64_t last_sequence,
                                 std::span<const ExtraCell> extras) {
  body_.resize_down(0);
  for (auto* part : {&places_, &requests_, &masks_, &values_}) {
    body_.append(part->begin(), part->size());
    part->resize_down(0);
  }
  Place before = 0;
  for (const auto& extra : extras) {
    append_varint(body_, extra.place - before);
    before = extra.place;
    append_varint(body_, extra.name.value);
    append_varint(body_, zigzag(extra.count));
  }
  const std::string_view body(body_.begin(), body_.size());
  const auto stored = compressed(body);
  std::string out(magic);
  out.reserve(header_bytes + stored.size());
  put(out, disk_format);
  put(out, static_cast<uint16_t>(stored.data() != body.data()));
  put(out, first_sequence);
  put(out, last_sequence);
  put(out, std::exchange(cells_, 0));
  put(out, static_cast<uint32_t>(extras.size()));
  put(out, static_cast<uint32_t>(body.size()));
  put(out, uint64_t{0});
  out.append(stored);
  const auto checksum = checksum_of(out);
  std::memcpy(out.data() + checksum_at, &checksum, sizeof checksum);
  before_ = 0;
  return out;
}

Result<RollupReader> RollupReader::open(std::string_view bytes) {
  if (bytes.size() < header_bytes || bytes.substr(0, magic.size()) != magic)
    return corruption("a rollup segment does not begin as one");
  ByteReader header(bytes.substr(magic.size()));
  const auto format = header.get<uint16_t>();
  if (format > disk_format)
    return Error{ErrorCode::newer_format, "a rollup segment has format " + std::to_string(format)};
  const auto codec = header.get<uint16_t>();
  RollupReader reader;
  reader.first_sequence_ = header.get<uint64_t>();
  reader.last_sequence_ = header.get<uint64_t>();
  reader.cells_ = header.get<uint32_t>();
  reader.extras_ = header.get<uint32_t>();
  const auto body_bytes = header.get<uint32_t>();
  if (header.get<uint64_t>() != checksum_of(bytes))
    return corruption("a rollup segment does not match its checksum");
  const auto stored = bytes.substr(header_bytes);
  reader.body_bytes_ = codec == 1 ? body_bytes : stored.size();
  if (reader.body_bytes_ > body_bytes_max) return corruption("a rollup segment claims too much");
  reader.body_ = std::make_unique_for_overwrite<char[]>(reader.body_bytes_);
  if (codec == 1) {
    const auto size = ZSTD_decompress(reader.body_.get(), body_bytes, stored.data(), stored.size());
    if (ZSTD_isError(size) != 0 || size != body_bytes)
      return corruption("a rollup segment does not decompress");
  } else {
    std::copy(stored.begin(), stored.end(), reader.body_.get());
  }
  if (!reader.find_columns()) return damaged();
  return reader;
}

bool RollupReader::find_columns() {
  if (cells_ > body_bytes_ || extras_ > body_bytes_) return false;
  const auto* const begin = body_.get();
  const auto* const end = begin + body_bytes_;
  const auto* const requests = skip_varints(begin, end, cells_);
  const auto* const masks = requests == nullptr ? nullptr : skip_varints(requests, end, cells_);
  const auto masks_bytes = static_cast<std::ptrdiff_t>(cells_ * sizeof(MeterMask));
  if (masks == nullptr || end - masks < masks_bytes) return false;
  places_ = ByteReader({begin, requests});
  requests_ = ByteReader({requests, masks});
  masks_ = masks;
  values_ = ByteReader({masks + masks_bytes, end});
  return true;
}

size_t RollupReader::values() const {
  size_t values = cells_;
  for (uint32_t i = 0; i < cells_; ++i) {
    MeterMask mask = 0;
    std::memcpy(&mask, masks_ + i * sizeof mask, sizeof mask);
    values += static_cast<size_t>(std::popcount(mask));
  }
  return values;
}

bool RollupReader::next(CellView& cell) {
  if (read_ == cells_) return false;
  MeterMask stored = 0;
  std::memcpy(&stored, masks_ + read_++ * sizeof stored, sizeof stored);
  damaged_ = damaged_ || stored >> meter_count != 0;
  place_ += places_.varint();
  cell_[0] = requests_.signed_varint();
  size_t size = 1;
  unsigned mask = 0;
  for (unsigned left = stored & ((1U << meter_count) - 1); left != 0; left &= left - 1) {
    cell_[size] = values_.signed_varint();
    // A zero is never written, and would not be taken along.
    mask |= cell_[size] != 0 ? left & -left : 0;
    size += cell_[size] != 0;
  }
  cell = {place_, static_cast<MeterMask>(mask), cell_.data()};
  return true;
}

Result<std::vector<ExtraCell>> RollupReader::finish() {
  VERIFY(read_ == cells_, "the cells come before the extras");
  std::vector<ExtraCell> extras(extras_);
  Place before = 0;
  for (auto& extra : extras) {
    extra.place = before += values_.varint();
    extra.name.value = static_cast<uint32_t>(values_.varint());
    extra.count = values_.signed_varint();
  }
  if (damaged_ || !places_.complete() || !requests_.complete() || !values_.complete())
    return damaged();
  return extras;
}

std::string encode_rollup(const Change& change) {
  RollupWriter writer;
  writer.add(change.cells, 0, change.cells.size());
  return writer.finish(change.first_sequence, change.last_sequence, change.extras);
}

Result<Change> decode_rollup(std::string_view bytes) {
  TRY(auto reader, RollupReader::open(bytes));
  Change change;
  change.first_sequence = reader.first_sequence();
  change.last_sequence = reader.last_sequence();
  change.cells.reserve(reader.cells(), reader.values());
  for (CellView cell{}; reader.next(cell);) change.cells.push_back(cell, cell.place);
  TRY(change.extras, reader.finish());
  return change;
}

Result<std::string> merge_rollups(std::span<RollupReader> parts, RollupWriter& writer) {
  struct Head {
    RollupReader* part;
    CellView cell;
  };
  std::vector<Head> heads;
  auto first = uint64_t{UINT64_MAX};
  uint64_t last = 0;
  for (auto& part : parts) {
    first = std::min(first, part.first_sequence());
    last = std::max(last, part.last_sequence());
    if (CellView cell{}; part.next(cell)) heads.push_back({&part, cell});
  }
  // A few parts, so the first of them is looked for.
  const auto move_on = [&](Head& head) {
    if (head.part->next(head.cell)) return true;
    head = heads.back();
    heads.pop_back();
    return false;
  };
  while (!heads.empty()) {
    auto* least = &heads[0];
    bool alone = true;
    for (size_t i = 1; i < heads.size(); ++i) {
      if (heads[i].cell.place == least->cell.place) alone = false;
      if (heads[i].cell.place < least->cell.place) least = &heads[i], alone = true;
    }
    if (alone) {
      writer.add(least->cell);
      move_on(*least);
      continue;
    }
    const auto place = least->cell.place;
    Sum sum;
    for (size_t i = 0; i < heads.size();) {
      if (heads[i].cell.place == place) sum.add(heads[i].cell);
      if (heads[i].cell.place != place || move_on(heads[i])) ++i;
    }
    writer.add(place, sum);
  }
  std::vector<ExtraCell> extras;
  for (auto& part : parts) {
    TRY(const auto some, part.finish());
    extras.insert(extras.end(), some.begin(), some.end());
  }
  sum_extras(extras);
  return writer.finish(first, last, extras);
}

std::string segment_key(char kind, uint32_t day, uint64_t last_sequence) {
  std::string key(1, kind);
  put_key_u32(key, day);
  put_key_u64(key, last_sequence);
  return key;
}

uint32_t day_of_segment(std::string_view key) { return ByteReader(key.substr(1)).get_key_u32(); }

namespace {

// Where a UTC day begins; the last of all places where no period does.
Place place_of_day(uint32_t day, std::chrono::minutes grain) {
  const auto minutes = std::chrono::minutes(std::chrono::days(day)).count();
  const auto period = (minutes + grain.count() - 1) / grain.count();
  return period <= UINT32_MAX ? place_of(static_cast<uint32_t>(period), 0) : UINT64_MAX;
}

}  // namespace

void each_day_segment(const Change& change, std::chrono::minutes grain, RollupWriter& writer,
                      const VisitDaySegment& visit) {
  const auto& [first, last, cells, extras] = change;
  size_t cell = 0;
  size_t extra = 0;
  while (cell < cells.size() || extra < extras.size()) {
    const auto next = std::min(cell < cells.size() ? cells.place(cell) : UINT64_MAX,
                               extra < extras.size() ? extras[extra].place : UINT64_MAX);
    const auto day = utc_day_of(period_of(next), grain);
    const auto end = place_of_day(day + 1, grain);
    const auto cell_end = cells.lower_bound(end, cell, cells.size());
    writer.add(cells, cell, cell_end);
    cell = cell_end;
    const auto extra_begin = extra;
    while (extra < extras.size() && extras[extra].place < end) ++extra;
    visit(day,
          writer.finish(first, last, std::span(extras).subspan(extra_begin, extra - extra_begin)));
  }
}

}  // namespace gauger::ledger
