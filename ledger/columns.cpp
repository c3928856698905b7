#include "ledger/columns.h"

#include <algorithm>

namespace gauger::ledger {
namespace {

template <class T>
void keep_entries(std::vector<T>& column, const std::vector<uint8_t>& kept) {
  size_t to = 0;
  for (size_t from = 0; from < column.size(); ++from)
    if (kept[from] != 0) column[to++] = column[from];
  column.resize(to);
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

void TextColumn::keep(const std::vector<uint8_t>& kept) {
  size_t to = 0;
  uint32_t begin = 0;
  uint32_t end_kept = 0;
  for (size_t from = 0; from < ends_.size(); ++from) {
    const auto end = ends_[from];
    if (kept[from] != 0) {
      std::copy(bytes_.begin() + begin, bytes_.begin() + end, bytes_.begin() + end_kept);
      end_kept += end - begin;
      ends_[to++] = end_kept;
    }
    begin = end;
  }
  ends_.resize(to);
  bytes_.resize(end_kept);
}

void NumbersColumn::keep(const std::vector<uint8_t>& kept) {
  size_t to = 0;
  uint32_t begin = 0;
  uint32_t end_kept = 0;
  for (size_t from = 0; from < ends_.size(); ++from) {
    const auto end = ends_[from];
    if (kept[from] != 0) {
      std::copy(values_.begin() + begin, values_.begin() + end, values_.begin() + end_kept);
      end_kept += end - begin;
      ends_[to++] = end_kept;
    }
    begin = end;
  }
  ends_.resize(to);
  values_.resize(end_kept);
}

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

void EventColumns::keep(const std::vector<uint8_t>& kept) {
  keep_entries(row, kept);
  keep_entries(fingerprint, kept);
  keep_entries(content_hash, kept);
  keep_entries(source, kept);
  id.keep(kept);
  keep_entries(key, kept);
  keep_entries(completed_us, kept);
  keep_entries(duration_us, kept);
  keep_entries(present, kept);
  counts.keep(kept);
  agent_session.keep(kept);
  provider_request_id.keep(kept);
  parent_id.keep(kept);
  reservation_id.keep(kept);
  keep_by_event(targets, kept);
  keep_by_event(extras, kept);
  keep_entries(kind, kept);
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
