// The sections of a block, in the order in which they are written. Numbers are varints where
// nothing else is said; a section whose values are all the ordinary ones is left out.
//   segments        count, then per segment: namespace id, source text, partition (zigzag),
//                   begin offset (zigzag), end - begin, records, gaps, u64 last record hash
//   strings         length and bytes of each new string
//   keys            48 bytes per new usage key, the fields of UsageKey in order
//   dispositions    u8 per record; left out when all were accepted
//   offsets         per record: its offset minus that of the record before in its segment, less
//                   one, zigzag; left out when all follow one another
//   event columns   event_codec.cpp
//   adjustments     count, then: target row, completed (zigzag), key from, key to + 1, mask,
//                   counts, extras count, (name id, count)...
//   documents       documents.cpp
//   reservations    reservation.cpp
//   completeness    per segment: zigzag of the time it is complete at, in us, plus 1; or 0
#include <cstring>

#include "ledger/block.h"
#include "ledger/bytes.h"
#include "ledger/config.h"
#include "ledger/event_codec.h"
#include "ledger/section.h"
#include "schemas/limits.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view magic = "GJB1";
constexpr size_t checksum_at = 88;
constexpr size_t identities_hash_at = 96;
constexpr size_t header_bytes = 128;
// Bounds on what a stored count may claim, so that a damaged one cannot ask for the world.
constexpr uint64_t records_max = 1U << 22;

uint64_t checksum_of(std::string_view block) {
  const auto head = hash64(block.substr(0, checksum_at));
  return hash64(block.substr(identities_hash_at), head);
}

std::string segments_section(const Block& block) {
  std::string out;
  put_varint(out, block.segments.size());
  for (const auto& segment : block.segments) {
    put_varint(out, segment.name_space.value);
    put_text(out, segment.source);
    put_varint(out, zigzag(segment.partition));
    put_varint(out, zigzag(segment.begin_offset));
    put_varint(out, static_cast<uint64_t>(segment.end_offset - segment.begin_offset));
    put_varint(out, segment.records);
    put_varint(out, segment.gaps);
    put(out, segment.last_record_hash);
  }
  return out;
}

Result<std::vector<Segment>> read_segments(std::string_view bytes) {
  ByteReader reader(bytes);
  std::vector<Segment> segments;
  const auto count = reader.varint();
  uint64_t first_record = 0;
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    Segment segment;
    segment.name_space.value = static_cast<uint32_t>(reader.varint());
    segment.source = std::string(reader.text());
    segment.partition = static_cast<int32_t>(reader.signed_varint());
    segment.begin_offset = reader.signed_varint();
    segment.end_offset = segment.begin_offset + static_cast<int64_t>(reader.varint());
    segment.first_record = static_cast<uint32_t>(first_record);
    segment.records = static_cast<uint32_t>(reader.varint());
    segment.gaps = reader.varint();
    segment.last_record_hash = reader.get<uint64_t>();
    first_record += segment.records;
    if (first_record > records_max) return corruption("a block's segments are damaged");
    segments.push_back(std::move(segment));
  }
  if (!reader.complete()) return corruption("a block's segments are damaged");
  return segments;
}

std::string completeness_section(const Block& block) {
  std::string out;
  bool any = false;
  for (const auto& segment : block.segments) {
    any = any || segment.complete_at;
    put_varint(out, segment.complete_at ? zigzag(to_us(*segment.complete_at)) + 1 : 0);
  }
  return any ? out : std::string();
}

Result<void> read_completeness(std::string_view bytes, Block& block) {
  if (bytes.empty()) return success();
  ByteReader reader(bytes);
  for (auto& segment : block.segments)
    if (const auto stored = reader.varint(); stored != 0)
      segment.complete_at = instant_from_us(unzigzag(stored - 1));
  if (!reader.complete()) return corruption("a block's completeness is damaged");
  return success();
}

std::string offsets_section(const Block& block) {
  std::string out;
  bool consecutive = true;
  for (const auto& segment : block.segments) {
    int64_t before = -1;
    for (uint32_t i = 0; i < segment.records; ++i) {
      const auto offset = int64_t{block.offsets[segment.first_record + i]};
      const auto step = offset - before - 1;
      consecutive = consecutive && step == 0;
      put_varint(out, zigzag(step));
      before = offset;
    }
  }
  return consecutive ? std::string() : out;
}

Result<void> read_offsets(std::string_view bytes, Block& block) {
  block.offsets.resize(block.records());
  ByteReader reader(bytes);
  for (const auto& segment : block.segments) {
    int64_t before = -1;
    for (uint32_t i = 0; i < segment.records; ++i) {
      before += 1 + (bytes.empty() ? 0 : reader.signed_varint());
      block.offsets[segment.first_record + i] = static_cast<uint32_t>(before);
    }
  }
  if (!bytes.empty() && !reader.complete()) return corruption("a block's offsets are damaged");
  return success();
}

std::string adjustments_section(const std::vector<Adjustment>& adjustments) {
  if (adjustments.empty()) return {};
  std::string out;
  put_varint(out, adjustments.size());
  for (const auto& adjustment : adjustments) {
    put_varint(out, adjustment.target_row);
    put_varint(out, zigzag(adjustment.completed_us));
    put_varint(out, adjustment.key_from);
    put_varint(out, uint64_t{adjustment.key_to} + 1);
    put_varint(out, adjustment.present);
    for (size_t meter = 0; meter < meter_count; ++meter)
      if ((adjustment.present >> meter & 1) != 0)
        put_varint(out, static_cast<uint64_t>(adjustment.counts[meter]));
    put_varint(out, adjustment.extras.size());
    for (const auto& extra : adjustment.extras) {
      put_varint(out, extra.name.value);
      put_varint(out, static_cast<uint64_t>(extra.count));
    }
  }
  return out;
}

Result<std::vector<Adjustment>> read_adjustments(std::string_view bytes) {
  std::vector<Adjustment> adjustments;
  if (bytes.empty()) return adjustments;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    Adjustment adjustment{};
    adjustment.target_row = reader.varint();
    adjustment.completed_us = reader.signed_varint();
    adjustment.key_from = static_cast<uint32_t>(reader.varint());
    adjustment.key_to = static_cast<uint32_t>(reader.varint() - 1);
    const auto present = reader.varint();
    if (present >> meter_count != 0)
      return corruption("a block's adjustment names a meter that does not exist");
    adjustment.present = static_cast<MeterMask>(present);
    for (size_t meter = 0; meter < meter_count; ++meter)
      if ((adjustment.present >> meter & 1) != 0)
        adjustment.counts[meter] = static_cast<int64_t>(reader.varint());
    const auto extras = reader.varint();
    for (uint64_t j = 0; j < extras && !reader.bad(); ++j) {
      const auto name = static_cast<uint32_t>(reader.varint());
      adjustment.extras.push_back({StringId{name}, static_cast<int64_t>(reader.varint())});
    }
    adjustments.push_back(std::move(adjustment));
  }
  if (!reader.complete()) return corruption("a block's adjustments are damaged");
  return adjustments;
}

std::string strings_section(const Block& block) {
  std::string out;
  for (const auto text : block.strings) put_text(out, text);
  return out;
}

Result<void> read_dictionary(SectionReader& sections, Block& block) {
  TRY(const auto strings, sections.get(SectionId::strings));
  block.strings_bytes = std::make_shared<const std::string>(strings);
  ByteReader reader(*block.strings_bytes);
  while (!reader.at_end()) block.strings.push_back(reader.text());
  TRY(const auto keys, sections.get(SectionId::keys));
  if (reader.bad() || keys.size() % sizeof(UsageKey) != 0)
    return corruption("a block's dictionary entries are damaged");
  TRY(block.keys, read_raw<UsageKey>(keys, keys.size() / sizeof(UsageKey), "usage keys"));
  return success();
}

bool all_accepted(const Block& block) { return block.events.size() == block.dispositions.size(); }

Result<void> read_documents(SectionReader& sections, Block& block) {
  TRY(const auto bytes, sections.get(SectionId::documents));
  TRY(block.documents, decode_documents(bytes));
  for (auto& document : block.documents) {
    document.version.known_from = block.sequence;
    document.version.recorded_at = block.block_time;
    document.version.first_row = block.first_row;
  }
  return success();
}

Result<void> read_events(SectionReader& sections, size_t count, Columns columns, Block& block) {
  TRY(read_event_columns(sections, count, columns, block.events));
  TRY(const auto adjustments, sections.get(SectionId::adjustments));
  TRY(block.adjustments, read_adjustments(adjustments));
  TRY(const auto reservations, sections.get(SectionId::reservations));
  TRY(block.reservations, decode_reservations(reservations));
  return success();
}

Result<void> read_records(SectionReader& sections, size_t records, size_t events, Block& block) {
  TRY(const auto segments, sections.get(SectionId::segments));
  TRY(block.segments, read_segments(segments));
  const auto covered = block.segments.empty()
                           ? 0
                           : block.segments.back().first_record + block.segments.back().records;
  TRY(const auto dispositions, sections.get(SectionId::dispositions));
  if (covered != records || (dispositions.empty() && events != records))
    return corruption("a block's records do not match its segments");
  if (dispositions.empty()) {
    block.dispositions.assign(records, Disposition::accepted);
  } else {
    TRY(block.dispositions, read_raw<Disposition>(dispositions, records, "dispositions"));
  }
  for (uint32_t i = 0; i < records; ++i) {
    if (static_cast<size_t>(block.dispositions[i]) >= disposition_count)
      return corruption("a block's dispositions are damaged");
    if (block.dispositions[i] == Disposition::accepted) block.events.row.push_back(i);
  }
  if (block.events.row.size() != events) return corruption("a block's events are miscounted");
  return success();
}

}  // namespace

StoredBlock encode(const Block& block) {
  StoredBlock stored;
  stored.identities = encode_identities(block);
  SectionWriter sections;
  sections.add(SectionId::segments, segments_section(block), Compress::yes);
  stored.strings = store_section(strings_section(block), Compress::yes);
  sections.add(SectionId::strings, stored.strings);
  stored.keys = store_section(raw_bytes(block.keys), Compress::yes);
  sections.add(SectionId::keys, stored.keys);
  if (!all_accepted(block))
    sections.add(SectionId::dispositions, raw_bytes(block.dispositions), Compress::yes);
  sections.add(SectionId::offsets, offsets_section(block), Compress::yes);
  add_event_columns(sections, block.events);
  sections.add(SectionId::adjustments, adjustments_section(block.adjustments), Compress::yes);
  sections.add(SectionId::completeness, completeness_section(block), Compress::yes);
  sections.add(SectionId::reservations, encode_reservations(block.reservations), Compress::yes);
  sections.add(SectionId::documents, encode_documents(block.documents), Compress::yes);

  auto& out = stored.bytes;
  out = magic;
  put(out, disk_format);
  put(out, uint16_t{0});
  put(out, block.sequence);
  put(out, block.first_row);
  put(out, to_us(block.block_time));
  out.append(reinterpret_cast<const char*>(block.previous_hash.data()), sizeof(Digest));
  put(out, block.records());
  put(out, static_cast<uint32_t>(block.events.size()));
  put(out, sections.count());
  put(out, block.first_string);
  put(out, block.first_key);
  put(out, uint32_t{0});
  put(out, uint64_t{0});
  std::vector<std::string_view> chunks;
  for (const auto& chunk : stored.identities) chunks.push_back(chunk.bytes);
  const auto identities_hash = sha256(chunks);
  out.append(reinterpret_cast<const char*>(identities_hash.data()), sizeof(Digest));
  VERIFY(out.size() == header_bytes, "the header has its size");
  sections.append_to(out);
  const auto checksum = checksum_of(out);
  std::memcpy(out.data() + checksum_at, &checksum, sizeof checksum);
  return stored;
}

Result<Block> decode_block(std::string_view bytes, Columns columns) {
  if (bytes.size() < header_bytes || bytes.substr(0, magic.size()) != magic)
    return corruption("a journal block does not begin as one");
  ByteReader reader(bytes.substr(magic.size()));
  const auto format = reader.get<uint16_t>();
  reader.get<uint16_t>();
  Block block;
  block.sequence = reader.get<uint64_t>();
  const auto name = "journal block " + std::to_string(block.sequence);
  if (format > disk_format)
    return Error{ErrorCode::newer_format, name + " has format " + std::to_string(format) +
                                              "; this gauger reads up to " +
                                              std::to_string(disk_format)};
  block.first_row = reader.get<uint64_t>();
  block.block_time = instant_from_us(reader.get<int64_t>());
  const auto previous = reader.take(sizeof(Digest));
  std::memcpy(block.previous_hash.data(), previous.data(), sizeof(Digest));
  const auto records = reader.get<uint32_t>();
  const auto events = reader.get<uint32_t>();
  const auto section_count = reader.get<uint32_t>();
  block.first_string = reader.get<uint32_t>();
  block.first_key = reader.get<uint32_t>();
  reader.get<uint32_t>();
  if (reader.get<uint64_t>() != checksum_of(bytes))
    return corruption(name + " does not match its checksum");
  std::memcpy(block.identities_hash.data(), bytes.data() + identities_hash_at, sizeof(Digest));
  if (records > records_max || events > records) return corruption(name + " is miscounted");
  TRY(auto sections, SectionReader::open(bytes.substr(header_bytes), section_count));
  if (columns == Columns::documents || columns == Columns::all) {
    TRY(read_documents(sections, block));
    if (columns == Columns::documents) return block;
  }
  TRY(read_records(sections, records, events, block));
  if (columns == Columns::all) {
    TRY(read_dictionary(sections, block));
    TRY(const auto offsets, sections.get(SectionId::offsets));
    TRY(read_offsets(offsets, block));
    TRY(const auto completeness, sections.get(SectionId::completeness));
    TRY(read_completeness(completeness, block));
  }
  TRY(read_events(sections, events, columns, block));
  return block;
}

Result<void> read_identities(std::span<const std::string> chunks, Block& block) {
  const auto name = "journal block " + std::to_string(block.sequence);
  const std::vector<std::string_view> views(chunks.begin(), chunks.end());
  if (sha256(views) != block.identities_hash)
    return corruption(name + " does not match its identities");
  auto& events = block.events;
  IdentityChunk chunk;
  for (const auto bytes : views) {
    TRY(chunk.read(bytes));
    for (uint32_t i = 0; i < chunk.events(); ++i) {
      events.source.push_back(chunk.source(i));
      events.id.add(chunk.id(i));
      events.content_hash.push_back(chunk.content_hash(i));
      events.duration_us.push_back(chunk.duration_us(i));
    }
  }
  if (events.id.size() != events.size()) return corruption(name + " misses identities");
  return success();
}

}  // namespace gauger::ledger
