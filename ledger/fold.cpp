#include "ledger/fold.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

namespace gauger::ledger {
namespace {

struct Entry {
  uint64_t order;  // the place, with the periods counted from the first one
  uint32_t from;   // where its values are
};

// Least significant digit first, 11 bits at a time.
void radix_sort(std::vector<Entry>& entries, unsigned bits) {
  constexpr unsigned digit_bits = 11;
  constexpr size_t digits = size_t{1} << digit_bits;
  std::vector<Entry> other(entries.size());
  for (unsigned shift = 0; shift < bits; shift += digit_bits) {
    std::array<uint32_t, digits> at{};
    for (const auto& entry : entries) ++at[entry.order >> shift & (digits - 1)];
    uint32_t sum = 0;
    for (auto& count : at) sum += std::exchange(count, sum);
    for (const auto& entry : entries) other[at[entry.order >> shift & (digits - 1)]++] = entry;
    entries.swap(other);
  }
}

// Entries of these places, sorted by place.
template <class PlaceAt>
std::vector<Entry> sorted_entries(size_t count, PlaceAt&& place_at) {
  uint32_t key_bits = 0;
  uint32_t first_period = UINT32_MAX;
  uint32_t last_period = 0;
  for (size_t i = 0; i < count; ++i) {
    const Place place = place_at(i);
    key_bits |= key_of(place);
    first_period = std::min(first_period, period_of(place));
    last_period = std::max(last_period, period_of(place));
  }
  const auto width = static_cast<unsigned>(std::bit_width(key_bits));
  std::vector<Entry> entries(count);
  for (size_t i = 0; i < count; ++i) {
    const Place place = place_at(i);
    entries[i] = {uint64_t{period_of(place) - first_period} << width | key_of(place),
                  static_cast<uint32_t>(i)};
  }
  if (count > 1)
    radix_sort(entries, width + static_cast<unsigned>(std::bit_width(last_period - first_period)));
  return entries;
}

bool is_zero(const Cell& cell) {
  int64_t any = cell.requests;
  for (const auto count : cell.counts) any |= count;
  return any == 0;
}

void add(Cell& to, const Cell& from) {
  to.requests += from.requests;
  for (size_t i = 0; i < meter_count; ++i) to.counts[i] += from.counts[i];
}

size_t count_places(const std::vector<Entry>& sorted) {
  size_t count = sorted.empty() ? 0 : 1;
  for (size_t i = 1; i < sorted.size(); ++i) count += sorted[i].order != sorted[i - 1].order;
  return count;
}

// The cells that sorted entries lead to, one sum per place, without zeros. They lie anywhere in
// memory, so they are asked for some entries ahead.
template <class CellAt, class PlaceAt>
std::vector<Cell> sum_entries(const std::vector<Entry>& entries, CellAt&& cell_at,
                              PlaceAt&& place_at) {
  constexpr size_t prefetch_distance = 12;
  std::vector<Cell> cells;
  cells.reserve(count_places(entries));
  uint64_t before = UINT64_MAX;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i + prefetch_distance < entries.size()) {
      const auto* ahead =
          reinterpret_cast<const char*>(cell_at(entries[i + prefetch_distance].from));
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + sizeof(Cell) - 1);
    }
    const auto& [order, from] = entries[i];
    if (order == before) {
      add(cells.back(), *cell_at(from));
      continue;
    }
    before = order;
    if (!cells.empty() && is_zero(cells.back())) cells.pop_back();
    cells.push_back(*cell_at(from));
    cells.back().place = place_at(from);
  }
  if (!cells.empty() && is_zero(cells.back())) cells.pop_back();
  return cells;
}

// Sums entries of one place and drops what comes to nothing.
void sum_extras(std::vector<ExtraCell>& extras) {
  std::sort(extras.begin(), extras.end(), [](const ExtraCell& a, const ExtraCell& b) {
    return std::tie(a.place, a.name) < std::tie(b.place, b.name);
  });
  std::vector<ExtraCell> summed;
  for (const auto& extra : extras) {
    if (!summed.empty() && summed.back().place == extra.place && summed.back().name == extra.name)
      summed.back().count += extra.count;
    else
      summed.push_back(extra);
  }
  std::erase_if(summed, [](const ExtraCell& extra) { return extra.count == 0; });
  extras = std::move(summed);
}

// What adjustments take from one place and add to another.
void add_adjustments(const Block& block, std::chrono::minutes grain, Change& change) {
  if (block.adjustments.empty()) return;
  std::vector<Cell> cells;
  for (const auto& adjustment : block.adjustments) {
    const auto period = period_at(adjustment.completed_us, grain);
    Cell from{place_of(period, adjustment.key_from), -1, {}};
    for (size_t i = 0; i < meter_count; ++i) from.counts[i] = -adjustment.counts[i];
    cells.push_back(from);
    for (const auto& extra : adjustment.extras)
      change.extras.push_back({from.place, extra.name, -extra.count});
    if (adjustment.key_to == Adjustment::no_key) continue;
    const Cell to{place_of(period, adjustment.key_to), 1, adjustment.counts};
    cells.push_back(to);
    for (const auto& extra : adjustment.extras)
      change.extras.push_back({to.place, extra.name, extra.count});
  }
  std::stable_sort(cells.begin(), cells.end(),
                   [](const Cell& a, const Cell& b) { return a.place < b.place; });
  Change adjusted;
  for (const auto& cell : cells) {
    if (!adjusted.cells.empty() && adjusted.cells.back().place == cell.place)
      add(adjusted.cells.back(), cell);
    else
      adjusted.cells.push_back(cell);
  }
  const Change* both[] = {&change, &adjusted};
  auto merged = merge(both);
  change.cells = std::move(merged.cells);
}

}  // namespace

Change fold(const Block& block, std::chrono::minutes grain) {
  const auto& events = block.events;
  std::vector<uint32_t> usage;
  usage.reserve(events.size());
  for (uint32_t i = 0; i < events.size(); ++i)
    if (events.kind[i] == EventKind::usage) usage.push_back(i);
  const auto entries = sorted_entries(usage.size(), [&](size_t i) {
    return place_of(period_at(events.completed_us[usage[i]], grain), events.key[usage[i]]);
  });

  Change change{block.sequence, block.sequence, {}, {}};
  change.cells.reserve(count_places(entries));
  uint64_t before = UINT64_MAX;
  for (const auto& entry : entries) {
    const auto event = usage[entry.from];
    if (entry.order != before) {
      before = entry.order;
      change.cells.push_back(
          {place_of(period_at(events.completed_us[event], grain), events.key[event]), 0, {}});
    }
    auto& cell = change.cells.back();
    ++cell.requests;
    auto values = events.counts[event];
    size_t next = 0;
    for (unsigned mask = events.present[event]; mask != 0; mask &= mask - 1)
      cell.counts[static_cast<size_t>(__builtin_ctz(mask))] += values[next++];
  }
  for (const auto& extra : events.extras) {
    if (events.kind[extra.event] != EventKind::usage) continue;
    const auto period = period_at(events.completed_us[extra.event], grain);
    change.extras.push_back({place_of(period, events.key[extra.event]), extra.name, extra.count});
  }
  add_adjustments(block, grain, change);
  sum_extras(change.extras);
  return change;
}

std::vector<Cell> sum_cells(std::span<const Cell> cells, std::span<const Place> places) {
  return sum_entries(
      sorted_entries(cells.size(), [&](size_t i) { return places[i]; }),
      [&](size_t i) { return &cells[i]; }, [&](size_t i) { return places[i]; });
}

Change merge(std::span<const Change* const> changes) {
  Change merged{UINT64_MAX, 0, {}, {}};
  size_t count = 0;
  for (const auto* change : changes) count += change->cells.size();
  std::vector<const Cell*> cells;
  cells.reserve(count);
  for (const auto* change : changes) {
    merged.first_sequence = std::min(merged.first_sequence, change->first_sequence);
    merged.last_sequence = std::max(merged.last_sequence, change->last_sequence);
    for (const auto& cell : change->cells) cells.push_back(&cell);
    merged.extras.insert(merged.extras.end(), change->extras.begin(), change->extras.end());
  }
  merged.cells = sum_entries(
      sorted_entries(cells.size(), [&](size_t i) { return cells[i]->place; }),
      [&](size_t i) { return cells[i]; }, [&](size_t i) { return cells[i]->place; });
  sum_extras(merged.extras);
  return merged;
}

}  // namespace gauger::ledger
