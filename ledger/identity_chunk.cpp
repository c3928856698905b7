#include "ledger/identity_chunk.h"

#include <algorithm>

#include "ledger/block.h"
#include "ledger/bytes.h"
#include "ledger/packing.h"
#include "schemas/limits.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr size_t checksum_at = 16;
constexpr size_t header_bytes = 24;
constexpr size_t uuid_bytes = 16;

uint64_t checksum_of(std::string_view chunk) {
  return hash64(chunk.substr(header_bytes), hash64(chunk.substr(0, checksum_at)));
}

// The events of one chunk of a block: records first..last-1, events begin..end-1.
class ChunkWriter {
 public:
  ChunkWriter(const Block& block, uint32_t first, uint32_t last, size_t begin, size_t end)
      : block_(block),
        events_(block.events),
        first_(first),
        last_(last),
        begin_(begin),
        end_(end) {}

  std::string write() {
    out_.reserve(header_bytes + (end_ - begin_) * 64);
    put(out_, block_.first_row + first_);
    put(out_, static_cast<uint16_t>(last_ - first_));
    put(out_, static_cast<uint16_t>(end_ - begin_));
    put(out_, uint32_t{0});
    put(out_, uint64_t{0});
    accepted();
    name_spaces();
    sources();
    ids();
    const auto checksum = checksum_of(out_);
    std::memcpy(out_.data() + checksum_at, &checksum, sizeof checksum);
    return std::move(out_);
  }

 private:
  void accepted() {
    if (end_ - begin_ == last_ - first_) return;
    const auto bits = out_.size();
    out_.resize(bits + (last_ - first_ + 7) / 8);
    for (auto i = begin_; i < end_; ++i) {
      const auto record = events_.row[i] - first_;
      out_[bits + record / 8] = static_cast<char>(out_[bits + record / 8] | 1 << (record % 8));
    }
  }

  void name_spaces() {
    struct Run {
      StringId name_space;
      uint64_t events;
    };
    std::vector<Run> runs;
    for (auto i = begin_; i < end_;) {
      const auto& segment = block_.segment_of(events_.row[i]);
      const auto from = i;
      while (i < end_ && events_.row[i] < segment.first_record + segment.records) ++i;
      if (!runs.empty() && runs.back().name_space == segment.name_space)
        runs.back().events += i - from;
      else
        runs.push_back({segment.name_space, i - from});
    }
    put_varint(out_, runs.size());
    for (const auto& run : runs) {
      put_varint(out_, run.name_space.value);
      put_varint(out_, run.events);
    }
  }

  void sources() {
    std::array<uint32_t, identity_chunk_records> which{};
    // Most sources are found where they were met before; the others by search.
    constexpr size_t met_max = 64;
    std::array<uint32_t, met_max> met{};
    std::array<StringId, identity_chunk_records> distinct;
    uint32_t count = 0;
    for (auto i = begin_; i < end_; ++i) {
      const auto source = events_.source[i];
      auto& at = met[source.value % met_max];
      if (at >= count || distinct[at] != source) {
        const auto known = std::find(distinct.begin(), distinct.begin() + count, source);
        at = static_cast<uint32_t>(known - distinct.begin());
        if (at == count) distinct[count++] = source;
      }
      which[i - begin_] = at;
    }
    put_varint(out_, count);
    for (uint32_t i = 0; i < count; ++i) put_varint(out_, distinct[i].value);
    pack_bits(out_, std::span(which).first(end_ - begin_));
  }

  // The other columns; all ids once, the UUIDs first.
  void ids() {
    std::array<uint32_t, identity_chunk_records> lengths{};
    std::array<char, identity_chunk_records * uuid_bytes> uuids;
    auto* uuids_end = uuids.data();
    size_t texts_bytes = 0;
    for (auto i = begin_; i < end_; ++i) {
      const auto id = events_.id[i];
      if (pack_uuid(uuids_end, id)) {
        uuids_end += uuid_bytes;
        continue;
      }
      lengths[i - begin_] = static_cast<uint32_t>(id.size());
      texts_bytes += id.size();
    }
    pack_bits(out_, std::span(lengths).first(end_ - begin_));
    out_.append(reinterpret_cast<const char*>(events_.content_hash.data() + begin_),
                (end_ - begin_) * sizeof(uint64_t));
    std::array<char, 2 * identity_chunk_records * varint_bytes_max> times;
    auto* at = times.data();
    uint64_t before = 0;
    for (auto i = begin_; i < end_; ++i) {
      const auto us = static_cast<uint64_t>(events_.completed_us[i]);
      at = write_varint(at, zigzag(static_cast<int64_t>(us - before)));
      before = us;
    }
    for (auto i = begin_; i < end_; ++i)
      at = write_varint(at, static_cast<uint64_t>(events_.duration_us[i] + 1));
    out_.append(times.data(), static_cast<size_t>(at - times.data()));
    out_.append(uuids.data(), static_cast<size_t>(uuids_end - uuids.data()));
    out_.reserve(out_.size() + texts_bytes);
    for (auto i = begin_; i < end_; ++i)
      if (lengths[i - begin_] != 0) out_.append(events_.id[i]);
  }

  const Block& block_;
  const EventColumns& events_;
  const uint32_t first_;
  const uint32_t last_;
  const size_t begin_;
  const size_t end_;
  std::string out_;
};

}  // namespace

std::string identity_chunk_key(uint64_t first_row) {
  std::string key;
  put_key_u64(key, first_row);
  return key;
}

std::vector<IdentityChunkBytes> encode_identities(const Block& block) {
  std::vector<IdentityChunkBytes> chunks;
  const auto& rows = block.events.row;
  size_t begin = 0;
  for (uint32_t first = 0; first < block.records(); first += identity_chunk_records) {
    const auto last = std::min(block.records(), first + identity_chunk_records);
    auto end = begin;
    while (end < rows.size() && rows[end] < last) ++end;
    chunks.push_back(
        {block.first_row + first, ChunkWriter(block, first, last, begin, end).write()});
    begin = end;
  }
  return chunks;
}

Result<void> IdentityChunk::read(std::string_view bytes) {
  const auto damaged = [] { return corruption("an identity chunk is damaged"); };
  records_ = 0;
  if (bytes.size() < header_bytes) return damaged();
  ByteReader reader(bytes);
  first_row_ = reader.get<uint64_t>();
  const auto records = reader.get<uint16_t>();
  events_ = reader.get<uint16_t>();
  reader.get<uint32_t>();
  if (reader.get<uint64_t>() != checksum_of(bytes) || records > identity_chunk_records ||
      events_ > records)
    return damaged();

  const auto accepted = reader.take(events_ == records ? 0 : (records + 7U) / 8U);
  uint32_t event = 0;
  for (uint32_t i = 0; i < records && !reader.bad(); ++i) {
    const bool is_event = accepted.empty() || (accepted[i / 8] >> (i % 8) & 1) != 0;
    event_of_record_[i] = is_event ? static_cast<uint16_t>(event) : not_accepted;
    if (!is_event) continue;
    if (event == events_) return damaged();
    record_of_event_[event++] = static_cast<uint16_t>(i);
  }
  if (event != events_) return damaged();

  event = 0;
  for (auto runs = reader.varint(); runs > 0; --runs) {
    const StringId name_space{static_cast<uint32_t>(reader.varint())};
    const auto count = reader.varint();
    if (reader.bad() || count > events_ - event) return damaged();
    std::fill_n(name_spaces_.begin() + event, count, name_space);
    event += static_cast<uint32_t>(count);
  }
  if (event != events_) return damaged();

  std::array<StringId, identity_chunk_records> distinct;
  const auto distinct_count = reader.varint();
  if (distinct_count > events_) return damaged();
  for (size_t i = 0; i < distinct_count; ++i)
    distinct[i].value = static_cast<uint32_t>(reader.varint());
  std::array<uint32_t, identity_chunk_records> numbers;
  const auto packed = std::span(numbers).first(events_);
  if (!take_bits(reader, packed)) return damaged();
  for (uint32_t i = 0; i < events_; ++i) {
    if (numbers[i] >= distinct_count) return damaged();
    sources_[i] = distinct[numbers[i]];
  }

  if (!take_bits(reader, packed)) return damaged();
  const auto hashes = reader.take(events_ * sizeof(uint64_t));
  std::copy_n(hashes.data(), hashes.size(), reinterpret_cast<char*>(content_hashes_.data()));
  uint64_t before = 0;
  for (uint32_t i = 0; i < events_; ++i) {
    before += static_cast<uint64_t>(reader.signed_varint());
    completed_us_[i] = static_cast<int64_t>(before);
  }
  for (uint32_t i = 0; i < events_; ++i)
    duration_us_[i] = static_cast<int64_t>(reader.varint()) - 1;
  for (const bool uuids : {true, false})
    for (uint32_t i = 0; i < events_; ++i) {
      is_uuid_[i] = numbers[i] == 0;
      if (is_uuid_[i] == uuids) stored_ids_[i] = reader.take(uuids ? uuid_bytes : numbers[i]);
    }
  if (!reader.complete()) return damaged();
  records_ = records;
  return success();
}

std::string_view IdentityChunk::id(uint32_t event) {
  if (!is_uuid_[event]) return stored_ids_[event];
  unpacked_.clear();
  unpack_uuid(unpacked_, stored_ids_[event]);
  return unpacked_;
}

}  // namespace gauger::ledger
