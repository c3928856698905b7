// Sections, in the order in which they are written. Numbers are varints where nothing else is
// said; a section whose values are all the ordinary ones is left out.
//   kinds           u8 per event; left out when all are usage
//   event keys      packed bits: key id per event
//   completed       zigzag difference to the event before, microseconds
//   present         u16 meter mask per event
//   counts          the present meters' counts
//   agent sessions, provider request ids, parent ids, reservation ids: lengths, then bytes;
//                   left out when all are empty
//   targets         count, then: event, source id, id text, reason text
//   extras          count, then: event, name id, count
#include "ledger/event_codec.h"

#include <algorithm>

#include "ledger/bytes.h"
#include "ledger/packing.h"

namespace gauger::ledger {
namespace {

void add_texts(SectionWriter& sections, SectionId id, const TextColumn& column) {
  const auto& bytes = column.bytes();
  if (bytes.empty()) return;
  WriteBuffer out(column.size() * varint_bytes_max + bytes.size());
  auto* at = out.begin();
  for (size_t i = 0; i < column.size(); ++i) at = write_varint(at, column[i].size());
  at = std::copy(bytes.begin(), bytes.end(), at);
  sections.add(id, out.until(at), Compress::yes);
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

void add_completed(SectionWriter& sections, const std::vector<int64_t>& completed) {
  WriteBuffer out(completed.size() * varint_bytes_max);
  auto* at = out.begin();
  uint64_t before = 0;
  for (const auto us : completed) {
    at = write_varint(at, zigzag(static_cast<int64_t>(static_cast<uint64_t>(us) - before)));
    before = static_cast<uint64_t>(us);
  }
  sections.add(SectionId::completed, out.until(at), Compress::no);
}

Result<void> read_completed(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto completed, sections.get(SectionId::completed));
  ByteReader reader(completed);
  events.completed_us.resize(count);
  uint64_t before = 0;
  for (auto& us : events.completed_us) {
    before += static_cast<uint64_t>(reader.signed_varint());
    us = static_cast<int64_t>(before);
  }
  if (!reader.complete()) return corruption("a block's times are damaged");
  return success();
}

void add_counts(SectionWriter& sections, const NumbersColumn& counts) {
  WriteBuffer out(counts.values().size() * varint_bytes_max);
  auto* at = out.begin();
  for (const auto count : counts.values()) at = write_varint(at, static_cast<uint64_t>(count));
  sections.add(SectionId::counts, out.until(at), Compress::yes);
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

Result<std::vector<TargetRow>> read_targets(std::string_view bytes, size_t events) {
  std::vector<TargetRow> targets;
  if (bytes.empty()) return targets;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    TargetRow target{};
    const auto event = reader.varint();
    if (event >= events || (!targets.empty() && event <= targets.back().event))
      return corruption("a block's targets are not its events'");
    target.event = static_cast<uint32_t>(event);
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

Result<std::vector<ExtraRow>> read_extras(std::string_view bytes, size_t events) {
  std::vector<ExtraRow> extras;
  if (bytes.empty()) return extras;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    ExtraRow extra{};
    const auto event = reader.varint();
    if (event >= events || (!extras.empty() && event < extras.back().event))
      return corruption("a block's extras are not its events'");
    extra.event = static_cast<uint32_t>(event);
    extra.name.value = static_cast<uint32_t>(reader.varint());
    extra.count = static_cast<int64_t>(reader.varint());
    extras.push_back(extra);
  }
  if (!reader.complete()) return corruption("a block's extras are damaged");
  return extras;
}

Result<void> read_kinds(SectionReader& sections, size_t count, EventColumns& events) {
  TRY(const auto kinds, sections.get(SectionId::kinds));
  if (kinds.empty()) {
    events.kind.assign(count, EventKind::usage);
    return success();
  }
  TRY(events.kind, read_raw<EventKind>(kinds, count, "event kinds"));
  for (const auto kind : events.kind)
    if (kind > EventKind::outcome) return corruption("a block holds an event of an unknown kind");
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
  TRY(events.targets, read_targets(targets, count));
  return success();
}

}  // namespace

void add_event_columns(SectionWriter& sections, const EventColumns& events) {
  const bool usage_only = std::all_of(events.kind.begin(), events.kind.end(),
                                      [](EventKind kind) { return kind == EventKind::usage; });
  if (!usage_only) sections.add(SectionId::kinds, raw_bytes(events.kind), Compress::yes);
  if (events.size() == 0) return;
  std::string keys;
  pack_bits(keys, events.key);
  sections.add(SectionId::event_keys, keys, Compress::no);
  add_completed(sections, events.completed_us);
  sections.add(SectionId::present, raw_bytes(events.present), Compress::yes);
  add_counts(sections, events.counts);
  add_texts(sections, SectionId::agent_sessions, events.agent_session);
  add_texts(sections, SectionId::provider_request_ids, events.provider_request_id);
  add_texts(sections, SectionId::parent_ids, events.parent_id);
  add_texts(sections, SectionId::reservation_ids, events.reservation_id);
  sections.add(SectionId::targets, targets_section(events.targets), Compress::yes);
  sections.add(SectionId::extras, extras_section(events.extras), Compress::yes);
}

Result<void> read_event_columns(SectionReader& sections, size_t count, Columns columns,
                                EventColumns& events) {
  TRY(read_kinds(sections, count, events));
  TRY(read_completed(sections, count, events));
  TRY(const auto keys, sections.get(SectionId::event_keys));
  if (count != 0) {
    auto unpacked = unpack_bits(keys, count);
    if (!unpacked) return corruption("a block's event keys are damaged");
    events.key = std::move(*unpacked);
  }
  TRY(read_counts(sections, count, events));
  TRY(const auto extras, sections.get(SectionId::extras));
  TRY(events.extras, read_extras(extras, count));
  if (columns != Columns::all) return success();
  return read_texts(sections, count, events);
}

}  // namespace gauger::ledger
