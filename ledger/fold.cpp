#include "ledger/fold.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

namespace gauger::ledger {
namespace {

// What is to be sorted, in one word: its place, with the periods counted from the first one, above
// where it is.
struct Packing {
  uint32_t first_period;
  unsigned key_bits;
  unsigned from_bits;
  unsigned bits;

  uint64_t pack(Place place, size_t from) const {
    const auto order = uint64_t{period_of(place) - first_period} << key_bits | key_of(place);
    return order << from_bits | from;
  }
  uint32_t from(uint64_t word) const {
    return static_cast<uint32_t>(word & ((uint64_t{1} << from_bits) - 1));
  }
};

template <class PlaceAt>
Packing packing_of(size_t count, PlaceAt&& place_at) {
  uint32_t keys = 0;
  uint32_t first_period = UINT32_MAX;
  uint32_t last_period = 0;
  for (size_t i = 0; i < count; ++i) {
    const Place place = place_at(i);
    keys |= key_of(place);
    first_period = std::min(first_period, period_of(place));
    last_period = std::max(last_period, period_of(place));
  }
  const auto key_bits = static_cast<unsigned>(std::bit_width(keys));
  const auto from_bits = static_cast<unsigned>(std::bit_width(count));
  const auto period_bits = static_cast<unsigned>(std::bit_width(last_period - first_period));
  return {first_period, key_bits, from_bits, from_bits + key_bits + period_bits};
}

// Least significant digit first, 11 bits at a time, from bit `from` up to bit `until`.
void radix_sort(std::vector<uint64_t>& words, unsigned from, unsigned until) {
  constexpr unsigned digit_bits = 11;
  constexpr size_t digits = size_t{1} << digit_bits;
  std::vector<uint64_t> other(words.size());
  for (auto shift = from; shift < until; shift += digit_bits) {
    std::array<uint32_t, digits> at{};
    for (const auto word : words) ++at[word >> shift & (digits - 1)];
    uint32_t sum = 0;
    for (auto& count : at) sum += std::exchange(count, sum);
    for (const auto word : words) other[at[word >> shift & (digits - 1)]++] = word;
    words.swap(other);
  }
}

// 0..count-1 in the order of their places; equal ones as they come.
template <class PlaceAt>
std::vector<uint32_t> sorted_by_place(size_t count, PlaceAt&& place_at) {
  std::vector<uint32_t> order(count);
  const auto packing = packing_of(count, place_at);
  if (packing.bits > 64) {
    // Periods that lie ages apart.
    for (size_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return place_at(a) < place_at(b); });
    return order;
  }
  std::vector<uint64_t> words(count);
  for (size_t i = 0; i < count; ++i) words[i] = packing.pack(place_at(i), i);
  if (count > 1) radix_sort(words, packing.from_bits, packing.bits);
  for (size_t i = 0; i < count; ++i) order[i] = packing.from(words[i]);
  return order;
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

// Appends to cells that are sorted: adds where the place is that of the last one, whose zeros go
// when the next place begins or `finish` is called.
class CellSum {
 public:
  explicit CellSum(std::vector<Cell>& cells) : cells_(cells) {}
  void put(const Cell& cell, Place place) {
    if (open_ && cells_.back().place == place) return add(cells_.back(), cell);
    finish();
    cells_.push_back(cell);
    cells_.back().place = place;
    open_ = true;
  }
  void finish() {
    if (open_ && is_zero(cells_.back())) cells_.pop_back();
    open_ = false;
  }

 private:
  std::vector<Cell>& cells_;
  bool open_ = false;
};

// Puts cells in the order of their places. They lie anywhere in memory, so they are asked for some
// cells ahead.
template <class CellAt, class PlaceAt>
void put_sorted(size_t count, CellAt&& cell_at, PlaceAt&& place_at, CellSum& sum) {
  constexpr size_t prefetch_distance = 12;
  const auto order = sorted_by_place(count, place_at);
  for (size_t i = 0; i < count; ++i) {
    if (i + prefetch_distance < count) {
      const auto* ahead = reinterpret_cast<const char*>(cell_at(order[i + prefetch_distance]));
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + sizeof(Cell) - 1);
    }
    sum.put(*cell_at(order[i]), place_at(order[i]));
  }
}

// The cells of one period in several changes, each sorted by place.
using Parts = std::vector<std::span<const Cell>>;

// One large part beside a few cells, as late events are: the few are sorted and woven in.
void weave(const Parts& parts, size_t largest, CellSum& sum) {
  std::vector<const Cell*> few;
  for (size_t i = 0; i < parts.size(); ++i)
    if (i != largest)
      for (const auto& cell : parts[i]) few.push_back(&cell);
  std::stable_sort(few.begin(), few.end(),
                   [](const Cell* a, const Cell* b) { return a->place < b->place; });
  auto next = few.begin();
  for (const auto& cell : parts[largest]) {
    for (; next != few.end() && (*next)->place < cell.place; ++next)
      sum.put(**next, (*next)->place);
    sum.put(cell, cell.place);
  }
  for (; next != few.end(); ++next) sum.put(**next, (*next)->place);
}

void sum_parts(const Parts& parts, std::vector<Cell>& cells) {
  CellSum sum(cells);
  size_t count = 0;
  size_t largest = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    count += parts[i].size();
    if (parts[i].size() > parts[largest].size()) largest = i;
  }
  constexpr size_t few_share = 8;
  if ((count - parts[largest].size()) * few_share <= count) {
    weave(parts, largest, sum);
  } else {
    std::vector<const Cell*> all;
    all.reserve(count);
    for (const auto& part : parts)
      for (const auto& cell : part) all.push_back(&cell);
    put_sorted(
        count, [&](size_t i) { return all[i]; }, [&](size_t i) { return all[i]->place; }, sum);
  }
  sum.finish();
}

// The first cells, which are of one period. Searched in growing steps, since late ones are few.
std::span<const Cell> take_period(std::span<const Cell>& cells, uint32_t period) {
  size_t step = 1;
  while (step < cells.size() && period_of(cells[step].place) <= period) step *= 2;
  const auto near = cells.first(std::min(cells.size(), step + 1));
  const auto end =
      std::partition_point(near.begin() + static_cast<std::ptrdiff_t>(step / 2), near.end(),
                           [&](const Cell& cell) { return period_of(cell.place) <= period; });
  const auto taken = cells.first(static_cast<size_t>(end - near.begin()));
  cells = cells.subspan(taken.size());
  return taken;
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

namespace {

// The places of usage events. Neighbours mostly lie in one period, which is worked out once.
std::vector<Place> places_of(const EventColumns& events, std::span<const uint32_t> usage,
                             std::chrono::minutes grain) {
  const auto grain_us = std::chrono::microseconds(grain).count();
  std::vector<Place> places;
  places.reserve(usage.size());
  uint32_t period = 0;
  int64_t begin_us = 0;
  for (const auto event : usage) {
    const auto us = events.completed_us[event];
    if (us < begin_us || us >= begin_us + grain_us) {
      period = period_at(us, grain);
      begin_us = int64_t{period} * grain_us;
    }
    places.push_back(place_of(period, events.key[event]));
  }
  return places;
}

}  // namespace

Change fold(const Block& block, std::chrono::minutes grain) {
  Change change;
  fold(block, grain, change);
  // Its cells are hardly ever as many as the events they were made room for.
  if (change.cells.size() < change.cells.capacity() / 4 * 3) change.cells.shrink_to_fit();
  return change;
}

void fold(const Block& block, std::chrono::minutes grain, Change& change) {
  const auto& events = block.events;
  std::vector<uint32_t> usage;
  usage.reserve(events.size());
  for (uint32_t i = 0; i < events.size(); ++i)
    if (events.kind[i] == EventKind::usage) usage.push_back(i);
  const auto places = places_of(events, usage, grain);
  change.first_sequence = change.last_sequence = block.sequence;
  change.cells.clear();
  change.extras.clear();
  change.cells.reserve(usage.size());
  for (const auto from : sorted_by_place(usage.size(), [&](size_t i) { return places[i]; })) {
    const auto event = usage[from];
    if (change.cells.empty() || change.cells.back().place != places[from])
      change.cells.push_back({places[from], 0, {}});
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
}

void sum_cells(std::span<const Cell> cells, std::span<const Place> places,
               std::vector<Cell>& summed) {
  summed.clear();
  summed.reserve(cells.size());
  CellSum sum(summed);
  put_sorted(
      cells.size(), [&](size_t i) { return &cells[i]; }, [&](size_t i) { return places[i]; }, sum);
  sum.finish();
}

Change merge(std::span<const Change* const> changes) {
  Change merged;
  merge(changes, merged);
  return merged;
}

void merge(std::span<const Change* const> changes, Change& merged) {
  merged.first_sequence = UINT64_MAX;
  merged.last_sequence = 0;
  merged.cells.clear();
  merged.extras.clear();
  std::vector<std::span<const Cell>> left;
  size_t count = 0;
  for (const auto* change : changes) {
    merged.first_sequence = std::min(merged.first_sequence, change->first_sequence);
    merged.last_sequence = std::max(merged.last_sequence, change->last_sequence);
    left.emplace_back(change->cells);
    count += change->cells.size();
    merged.extras.insert(merged.extras.end(), change->extras.begin(), change->extras.end());
  }
  merged.cells.reserve(count);
  // Period by period: those of one block are few, and blocks in order share hardly any.
  for (Parts parts;; parts.clear()) {
    auto period = uint64_t{UINT32_MAX} + 1;
    for (const auto& cells : left)
      if (!cells.empty()) period = std::min<uint64_t>(period, period_of(cells.front().place));
    if (period > UINT32_MAX) break;
    for (auto& cells : left)
      if (!cells.empty() && period_of(cells.front().place) == period)
        parts.push_back(take_period(cells, static_cast<uint32_t>(period)));
    sum_parts(parts, merged.cells);
  }
  sum_extras(merged.extras);
}

}  // namespace gauger::ledger
