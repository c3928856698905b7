// The sections of a block, in the order in which they are written. Numbers are varints where
// nothing else is said; a section whose values are all the ordinary ones is left out.
//   segments        count, then per segment: namespace id, source text, partition (zigzag),
//                   begin offset (zigzag), end - begin, records, gaps, u64 last record hash
//   strings         length and bytes of each new string
//   keys            48 bytes per new usage key, the fields of UsageKey in order
//   dispositions    u8 per record; left out when all were accepted
//   offsets         per record: its offset minus that of the record before in its segment, less
//                   one, zigzag; left out when all follow one another
//   kinds           u8 per event; left out when all are usage
//   event keys      packed bits: key id per event
//   completed       zigzag difference to the event before, microseconds
//   durations       duration + 1, 0 for none
//   present         u16 meter mask per event
//   counts          the present meters' counts
//   sources         string id per event, u32; a single u32 when all are the same
//   id lengths      length of each id, 0 for a UUID;   id texts, id uuids: their bytes
//   content hashes  u64 per event
//   agent sessions, provider request ids, parent ids, reservation ids: lengths, then bytes;
//                   left out when all are empty
//   targets         count, then: event, source id, id text, reason text
//   extras          count, then: event, name id, count
//   adjustments     count, then: target row, completed (zigzag), key from, key to + 1, mask,
//                   counts, extras count, (name id, count)...
#include <algorithm>
#include <limits>

#include "ledger/block.h"
#include "ledger/bytes.h"
#include "ledger/config.h"
#include "ledger/packing.h"
#include "ledger/section.h"
#include "schemas/limits.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr std::string_view magic = "GJB1";
constexpr size_t checksum_at = 88;
constexpr size_t header_bytes = 96;
// Bounds on what a stored count may claim, so that a damaged one cannot ask for the world.
constexpr uint64_t records_max = 1U << 22;

uint64_t checksum_of(std::string_view block) {
  const auto head = hash64(block.substr(0, checksum_at));
  return hash64(block.substr(header_bytes), head);
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

template <class T>
std::string_view raw(const std::vector<T>& column) {
  return {reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T)};
}

template <class T>
Result<std::vector<T>> read_raw(std::string_view bytes, size_t count, const char* what) {
  if (bytes.size() != count * sizeof(T))
    return corruption(std::string("a block's ") + what + " are damaged");
  std::vector<T> column(count);
  if (count != 0) std::memcpy(column.data(), bytes.data(), bytes.size());
  return column;
}

std::string sources_section(const std::vector<StringId>& sources) {
  const bool same = std::all_of(sources.begin(), sources.end(),
                                [&](StringId source) { return source == sources.front(); });
  return std::string(raw(sources).substr(0, same ? sizeof(StringId) : std::string::npos));
}

std::string text_section(const TextColumn& column) {
  if (column.bytes().empty()) return {};
  std::string out;
  for (size_t i = 0; i < column.size(); ++i) put_varint(out, column[i].size());
  return out + column.bytes();
}

Result<TextColumn> read_text(std::string_view bytes, size_t count) {
  TextColumn column;
  if (bytes.empty()) {
    for (size_t i = 0; i < count; ++i) column.add({});
    return column;
  }
  ByteReader reader(bytes);
  std::vector<size_t> lengths(count);
  for (auto& length : lengths) length = reader.varint();
  for (const auto length : lengths) column.add(reader.take(length));
  if (!reader.complete()) return corruption("a block's texts are damaged");
  return column;
}

void add_ids(SectionWriter& sections, const TextColumn& ids) {
  std::string lengths;
  std::string texts;
  std::string uuids;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto id = ids[i];
    if (pack_uuid(uuids, id)) {
      put_varint(lengths, 0);
    } else {
      put_varint(lengths, id.size());
      texts.append(id);
    }
  }
  sections.add(SectionId::id_lengths, lengths, Compress::yes);
  sections.add(SectionId::id_texts, texts, Compress::yes);
  sections.add(SectionId::id_uuids, uuids, Compress::no);
}

Result<TextColumn> read_ids(SectionReader& sections, size_t count) {
  TRY(const auto lengths, sections.get(SectionId::id_lengths));
  TRY(const auto texts, sections.get(SectionId::id_texts));
  TRY(const auto uuids, sections.get(SectionId::id_uuids));
  ByteReader length(lengths);
  ByteReader text(texts);
  ByteReader uuid(uuids);
  TextColumn ids;
  std::string unpacked;
  for (size_t i = 0; i < count; ++i) {
    const auto size = length.varint();
    if (size != 0) {
      ids.add(text.take(size));
      continue;
    }
    const auto packed = uuid.take(16);
    if (packed.size() != 16) break;
    unpacked.clear();
    unpack_uuid(unpacked, packed);
    ids.add(unpacked);
  }
  if (!length.complete() || !text.complete() || !uuid.complete() || ids.size() != count)
    return corruption("a block's identities are damaged");
  return ids;
}

std::string completed_section(const std::vector<int64_t>& completed) {
  std::string out(completed.size() * varint_bytes_max, '\0');
  auto* at = out.data();
  uint64_t before = 0;
  for (const auto us : completed) {
    at = write_varint(at, zigzag(static_cast<int64_t>(static_cast<uint64_t>(us) - before)));
    before = static_cast<uint64_t>(us);
  }
  out.resize(static_cast<size_t>(at - out.data()));
  return out;
}

std::string durations_section(const std::vector<int64_t>& durations) {
  std::string out(durations.size() * varint_bytes_max, '\0');
  auto* at = out.data();
  for (const auto us : durations) at = write_varint(at, static_cast<uint64_t>(us + 1));
  out.resize(static_cast<size_t>(at - out.data()));
  return out;
}

Result<void> read_times(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto completed, sections.get(SectionId::completed));
  TRY(const auto durations, sections.get(SectionId::durations));
  ByteReader completed_reader(completed);
  ByteReader duration_reader(durations);
  events.completed_us.resize(count);
  events.duration_us.resize(count);
  uint64_t before = 0;
  for (auto& us : events.completed_us) {
    before += static_cast<uint64_t>(completed_reader.signed_varint());
    us = static_cast<int64_t>(before);
  }
  for (auto& us : events.duration_us) us = static_cast<int64_t>(duration_reader.varint()) - 1;
  if (!completed_reader.complete() || !duration_reader.complete())
    return corruption("a block's times are damaged");
  return success();
}

std::string counts_section(const NumbersColumn& counts) {
  std::string out(counts.values().size() * varint_bytes_max, '\0');
  auto* at = out.data();
  for (const auto count : counts.values()) at = write_varint(at, static_cast<uint64_t>(count));
  out.resize(static_cast<size_t>(at - out.data()));
  return out;
}

Result<void> read_counts(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto present, sections.get(SectionId::present));
  TRY(events.present, read_raw<MeterMask>(present, count, "meter masks"));
  TRY(const auto counts, sections.get(SectionId::counts));
  ByteReader reader(counts);
  for (const auto mask : events.present) {
    if (mask >> meter_count != 0) return corruption("a block names a meter that does not exist");
    for (int left = __builtin_popcount(mask); left > 0; --left)
      events.counts.push(static_cast<int64_t>(reader.varint()));
    events.counts.end_event();
  }
  if (!reader.complete()) return corruption("a block's counts are damaged");
  return success();
}

std::string targets_section(const std::vector<TargetRow>& targets) {
  if (targets.empty()) return {};
  std::string out;
  put_varint(out, targets.size());
  for (const auto& target : targets) {
    put_varint(out, target.event);
    put_varint(out, target.source.value);
    put_text(out, target.id);
    put_text(out, target.reason);
  }
  return out;
}

Result<std::vector<TargetRow>> read_targets(std::string_view bytes) {
  std::vector<TargetRow> targets;
  if (bytes.empty()) return targets;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    TargetRow target{};
    target.event = static_cast<uint32_t>(reader.varint());
    target.source.value = static_cast<uint32_t>(reader.varint());
    target.id = std::string(reader.text());
    target.reason = std::string(reader.text());
    targets.push_back(std::move(target));
  }
  if (!reader.complete()) return corruption("a block's targets are damaged");
  return targets;
}

std::string extras_section(const std::vector<ExtraRow>& extras) {
  if (extras.empty()) return {};
  std::string out;
  put_varint(out, extras.size());
  for (const auto& extra : extras) {
    put_varint(out, extra.event);
    put_varint(out, extra.name.value);
    put_varint(out, static_cast<uint64_t>(extra.count));
  }
  return out;
}

Result<std::vector<ExtraRow>> read_extras(std::string_view bytes) {
  std::vector<ExtraRow> extras;
  if (bytes.empty()) return extras;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    ExtraRow extra{};
    extra.event = static_cast<uint32_t>(reader.varint());
    extra.name.value = static_cast<uint32_t>(reader.varint());
    extra.count = static_cast<int64_t>(reader.varint());
    extras.push_back(extra);
  }
  if (!reader.complete()) return corruption("a block's extras are damaged");
  return extras;
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
    adjustment.present = static_cast<MeterMask>(reader.varint());
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

void add_events(SectionWriter& sections, const EventColumns& events) {
  const bool usage_only = std::all_of(events.kind.begin(), events.kind.end(),
                                      [](EventKind kind) { return kind == EventKind::usage; });
  if (!usage_only) sections.add(SectionId::kinds, raw(events.kind), Compress::yes);
  if (events.size() == 0) return;
  std::string keys;
  pack_bits(keys, events.key);
  sections.add(SectionId::event_keys, keys, Compress::no);
  sections.add(SectionId::completed, completed_section(events.completed_us), Compress::no);
  sections.add(SectionId::durations, durations_section(events.duration_us), Compress::no);
  sections.add(SectionId::present, raw(events.present), Compress::yes);
  sections.add(SectionId::counts, counts_section(events.counts), Compress::yes);
  sections.add(SectionId::sources, sources_section(events.source), Compress::yes);
  add_ids(sections, events.id);
  sections.add(SectionId::content_hashes, raw(events.content_hash), Compress::no);
  sections.add(SectionId::agent_sessions, text_section(events.agent_session), Compress::yes);
  sections.add(SectionId::provider_request_ids, text_section(events.provider_request_id),
               Compress::yes);
  sections.add(SectionId::parent_ids, text_section(events.parent_id), Compress::yes);
  sections.add(SectionId::reservation_ids, text_section(events.reservation_id), Compress::yes);
  sections.add(SectionId::targets, targets_section(events.targets), Compress::yes);
  sections.add(SectionId::extras, extras_section(events.extras), Compress::yes);
}

Result<void> read_kinds(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto kinds, sections.get(SectionId::kinds));
  if (kinds.empty()) {
    events.kind.assign(count, EventKind::usage);
    return success();
  }
  TRY(events.kind, read_raw<EventKind>(kinds, count, "event kinds"));
  return success();
}

Result<void> read_identity(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto sources, sections.get(SectionId::sources));
  if (sources.size() == sizeof(StringId)) {
    StringId source;
    std::memcpy(&source, sources.data(), sizeof source);
    events.source.assign(count, source);
  } else {
    TRY(events.source, read_raw<StringId>(sources, count, "sources"));
  }
  TRY(events.id, read_ids(sections, count));
  TRY(const auto hashes, sections.get(SectionId::content_hashes));
  TRY(events.content_hash, read_raw<uint64_t>(hashes, count, "content hashes"));
  return success();
}

Result<void> read_texts(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto sessions, sections.get(SectionId::agent_sessions));
  TRY(events.agent_session, read_text(sessions, count));
  TRY(const auto requests, sections.get(SectionId::provider_request_ids));
  TRY(events.provider_request_id, read_text(requests, count));
  TRY(const auto parents, sections.get(SectionId::parent_ids));
  TRY(events.parent_id, read_text(parents, count));
  TRY(const auto reservations, sections.get(SectionId::reservation_ids));
  TRY(events.reservation_id, read_text(reservations, count));
  TRY(const auto targets, sections.get(SectionId::targets));
  TRY(events.targets, read_targets(targets));
  return success();
}

Result<void> read_events(SectionReader& sections, size_t count, Columns columns, Block& block) {
  auto& events = block.events;
  TRY(read_kinds(sections, count, events));
  TRY(read_times(sections, count, events));
  if (columns != Columns::fold) {
    TRY(read_identity(sections, count, events));
  }
  if (columns != Columns::identity) {
    TRY(const auto keys, sections.get(SectionId::event_keys));
    if (count != 0) {
      auto unpacked = unpack_bits(keys, count);
      if (!unpacked) return corruption("a block's event keys are damaged");
      events.key = std::move(*unpacked);
    }
    TRY(read_counts(sections, count, events));
    TRY(const auto extras, sections.get(SectionId::extras));
    TRY(events.extras, read_extras(extras));
    TRY(const auto adjustments, sections.get(SectionId::adjustments));
    TRY(block.adjustments, read_adjustments(adjustments));
  }
  if (columns == Columns::all) {
    TRY(read_texts(sections, count, events));
  }
  return success();
}

Result<void> read_records(SectionReader& sections, size_t records, size_t events, Block& block) {
  TRY(const auto segments, sections.get(SectionId::segments));
  TRY(block.segments, read_segments(segments));
  const auto covered = block.segments.empty() ? 0
                                              : block.segments.back().first_record +
                                                    block.segments.back().records;
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

std::string encode(const Block& block) {
  SectionWriter sections;
  sections.add(SectionId::segments, segments_section(block), Compress::yes);
  sections.add(SectionId::strings, strings_section(block), Compress::yes);
  sections.add(SectionId::keys, raw(block.keys), Compress::yes);
  if (!all_accepted(block))
    sections.add(SectionId::dispositions, raw(block.dispositions), Compress::yes);
  sections.add(SectionId::offsets, offsets_section(block), Compress::yes);
  add_events(sections, block.events);
  sections.add(SectionId::adjustments, adjustments_section(block.adjustments), Compress::yes);

  std::string out(magic);
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
  VERIFY(out.size() == header_bytes, "the header has its size");
  sections.append_to(out);
  const auto checksum = checksum_of(out);
  std::memcpy(out.data() + checksum_at, &checksum, sizeof checksum);
  return out;
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
    return Error{ErrorCode::newer_format,
                 name + " has format " + std::to_string(format) + "; this gauger reads up to " +
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
  if (records > records_max || events > records) return corruption(name + " is miscounted");
  TRY(auto sections, SectionReader::open(bytes.substr(header_bytes), section_count));
  TRY(read_records(sections, records, events, block));
  if (columns == Columns::all) {
    TRY(read_dictionary(sections, block));
    TRY(const auto offsets, sections.get(SectionId::offsets));
    TRY(read_offsets(offsets, block));
  }
  TRY(read_events(sections, events, columns, block));
  return block;
}

}  // namespace gauger::ledger
