#include "ledger/columns.h"

#include <algorithm>
#include <cstring>

namespace gauger::ledger {
namespace {

std::vector<EventRun> runs_of(const std::vector<uint8_t>& kept) {
  std::vector<EventRun> runs;
  const auto count = static_cast<uint32_t>(kept.size());
  for (uint32_t at = 0; at < count; ++at) {
    if (kept[at] == 0) continue;
    const auto begin = at;
    while (at < count && kept[at] != 0) ++at;
    runs.push_back({begin, at});
  }
  return runs;
}

// Moves entries begin..end-1 down to `to`; returns the end of where they are then.
template <class Column>
size_t move_down(Column& column, size_t begin, size_t end, size_t to) {
  if (begin != to)
    std::memmove(column.data() + to, column.data() + begin, (end - begin) * sizeof(column[0]));
  return to + (end - begin);
}

template <class T>
void keep_entries(std::vector<T>& column, std::span<const EventRun> runs) {
  size_t to = 0;
  for (const auto& run : runs) to = move_down(column, run.begin, run.end, to);
  column.resize(to);
}

// The same for values behind one another, `ends` telling where each event's end.
template <class Values>
void keep_values(Values& values, std::vector<uint32_t>& ends, std::span<const EventRun> runs) {
  size_t to = 0;
  size_t events = 0;
  for (const auto& run : runs) {
    const auto begin = run.begin == 0 ? 0 : ends[run.begin - 1];
    const auto end = ends[run.end - 1];
    const auto shift = begin - static_cast<uint32_t>(to);
    to = move_down(values, begin, end, to);
    for (auto event = run.begin; event < run.end; ++event) ends[events++] = ends[event] - shift;
  }
  ends.resize(events);
  values.resize(to);
}

// Drops the entries of dropped events and renumbers the rest.
template <class T>
void keep_by_event(std::vector<T>& column, const std::vector<uint8_t>& kept) {
  if (column.empty()) return;
  std::vector<uint32_t> renumbered(kept.size());
  uint32_t next = 0;
  for (size_t i = 0; i < kept.size(); ++i) renumbered[i] = kept[i] != 0 ? next++ : 0;
  std::erase_if(column, [&](const T& entry) { return kept[entry.event] == 0; });
  for (auto& entry : column) entry.event = renumbered[entry.event];
}

}  // namespace

void TextColumn::keep(std::span<const EventRun> runs) { keep_values(bytes_, ends_, runs); }

void NumbersColumn::keep(std::span<const EventRun> runs) { keep_values(values_, ends_, runs); }

void EventColumns::clear() {
  row.clear();
  fingerprint.clear();
  content_hash.clear();
  kind.clear();
  source.clear();
  id.clear();
  key.clear();
  completed_us.clear();
  duration_us.clear();
  present.clear();
  counts.clear();
  agent_session.clear();
  provider_request_id.clear();
  parent_id.clear();
  reservation_id.clear();
  targets.clear();
  extras.clear();
}

void EventColumns::reserve_like(const EventColumns& other) {
  const auto like = [](auto& column, const auto& filled) {
    // Somewhat more, since what was dropped had a place too.
    column.reserve(filled.size() + filled.size() / 32);
  };
  like(row, other.row);
  like(fingerprint, other.fingerprint);
  like(content_hash, other.content_hash);
  like(kind, other.kind);
  like(source, other.source);
  like(key, other.key);
  like(completed_us, other.completed_us);
  like(duration_us, other.duration_us);
  like(present, other.present);
  for (auto [column, filled] : {std::pair{&id, &other.id},
                                {&agent_session, &other.agent_session},
                                {&provider_request_id, &other.provider_request_id},
                                {&parent_id, &other.parent_id},
                                {&reservation_id, &other.reservation_id}})
    column->reserve_like(*filled);
  counts.reserve_like(other.counts);
}

size_t EventColumns::memory_bytes() const {
  const size_t per_event = sizeof(uint32_t) * 3 + sizeof(uint64_t) * 4 + sizeof(EventKind) +
                           sizeof(MeterMask) + sizeof(uint32_t);
  auto bytes = kind.capacity() * per_event + counts.memory_bytes() +
               targets.capacity() * sizeof(TargetRow) + extras.capacity() * sizeof(ExtraRow);
  for (const auto* column :
       {&id, &agent_session, &provider_request_id, &parent_id, &reservation_id})
    bytes += column->memory_bytes();
  return bytes;
}

void EventColumns::keep(const std::vector<uint8_t>& kept) {
  const auto runs = runs_of(kept);
  keep_entries(row, runs);
  keep_entries(fingerprint, runs);
  keep_entries(content_hash, runs);
  keep_entries(source, runs);
  id.keep(runs);
  keep_entries(key, runs);
  keep_entries(completed_us, runs);
  keep_entries(duration_us, runs);
  keep_entries(present, runs);
  counts.keep(runs);
  agent_session.keep(runs);
  provider_request_id.keep(runs);
  parent_id.keep(runs);
  reservation_id.keep(runs);
  keep_by_event(targets, kept);
  keep_by_event(extras, kept);
  keep_entries(kind, runs);
}

Counts EventColumns::counts_of(size_t event) const {
  Counts all{};
  auto values = counts[event];
  size_t next = 0;
  for (size_t meter = 0; meter < meter_count; ++meter)
    if ((present[event] >> meter & 1) != 0) all[meter] = values[next++];
  return all;
}

std::span<const ExtraRow> EventColumns::extras_of(size_t event) const {
  const auto first =
      std::lower_bound(extras.begin(), extras.end(), event,
                       [](const ExtraRow& extra, size_t at) { return extra.event < at; });
  auto last = first;
  while (last != extras.end() && last->event == event) ++last;
  return {first, last};
}

const TargetRow* EventColumns::target_of(size_t event) const {
  const auto found =
      std::lower_bound(targets.begin(), targets.end(), event,
                       [](const TargetRow& target, size_t at) { return target.event < at; });
  return found != targets.end() && found->event == event ? &*found : nullptr;
}

}  // namespace gauger::ledger
