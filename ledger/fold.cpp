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

// Appends to cells that are sorted: adds where the place is that of the last one. Sums that come to
// nothing go when the next place begins or `finish` is called.
class CellSum {
 public:
  explicit CellSum(Cells& cells) : cells_(cells) {}
  void put(const CellView& cell, Place place) {
    if (open_ && cells_.back().place == place) return add(cell);
    finish();
    cells_.push_back(cell, place);
    open_ = true;
  }
  // Cells of one change, all behind the last place.
  void put(const Cells& cells, size_t from, size_t until) {
    finish();
    cells_.append(cells, from, until);
  }
  void finish() {
    if (summed_ || (open_ && cells_.back().is_zero())) {
      const auto place = cells_.back().place;
      cells_.pop_back();
      if (summed_ && !sum_.is_zero()) cells_.push_back(place, sum_);
    }
    open_ = summed_ = false;
  }

 private:
  void add(const CellView& cell) {
    if (!summed_) {
      sum_ = {};
      sum_.add(cells_.back());
      summed_ = true;
    }
    sum_.add(cell);
  }

  Cells& cells_;
  bool open_ = false;    // the last cell may get more
  bool summed_ = false;  // it is one of several, which are in sum_
  Sum sum_;
};

// Some consecutive cells of a change.
struct CellRun {
  const Cells* cells;
  size_t begin;
  size_t end;

  size_t size() const { return end - begin; }
};
// The cells of one period in several changes, each sorted by place.
using Parts = std::vector<CellRun>;

// One large part beside a few cells, as late events are: the few are sorted and woven in.
void weave(const Parts& parts, size_t largest, CellSum& sum) {
  std::vector<CellView> few;
  for (size_t i = 0; i < parts.size(); ++i)
    if (i != largest)
      for (auto at = parts[i].begin; at < parts[i].end; ++at) few.push_back((*parts[i].cells)[at]);
  std::stable_sort(few.begin(), few.end(),
                   [](const CellView& a, const CellView& b) { return a.place < b.place; });
  const auto& [cells, begin, end] = parts[largest];
  auto at = begin;
  for (const auto& cell : few) {
    const auto until = cells->lower_bound(cell.place, at, end);
    if (until != at) sum.put(*cells, at, until);
    at = until;
    if (at < end && cells->place(at) == cell.place) sum.put((*cells)[at++], cell.place);
    sum.put(cell, cell.place);
  }
  if (at != end) sum.put(*cells, at, end);
}

// They lie anywhere in memory, so they are asked for some cells ahead.
void sort_and_sum(const Parts& parts, size_t count, CellSum& sum) {
  constexpr size_t prefetch_distance = 12;
  std::vector<CellView> all;
  all.reserve(count);
  for (const auto& [cells, begin, end] : parts)
    for (auto at = begin; at < end; ++at) all.push_back((*cells)[at]);
  const auto order = sorted_by_place(count, [&](size_t i) { return all[i].place; });
  for (size_t i = 0; i < count; ++i) {
    if (i + prefetch_distance < count) all[order[i + prefetch_distance]].prefetch();
    sum.put(all[order[i]], all[order[i]].place);
  }
}

void sum_parts(const Parts& parts, CellSum& sum) {
  size_t count = 0;
  size_t largest = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    count += parts[i].size();
    if (parts[i].size() > parts[largest].size()) largest = i;
  }
  constexpr size_t few_share = 8;
  if ((count - parts[largest].size()) * few_share <= count)
    weave(parts, largest, sum);
  else
    sort_and_sum(parts, count, sum);
  sum.finish();
}

// The first cells, which are of one period.
CellRun take_period(CellRun& cells, uint32_t period) {
  const auto end = period == UINT32_MAX
                       ? cells.end
                       : cells.cells->lower_bound(place_of(period + 1, 0), cells.begin, cells.end);
  const CellRun taken{cells.cells, cells.begin, end};
  cells.begin = end;
  return taken;
}

// What adjustments take from one place and add to another.
void add_adjustments(const Block& block, std::chrono::minutes grain, Change& change) {
  if (block.adjustments.empty()) return;
  Cells cells;
  std::vector<Place> places;
  const auto move = [&](const Adjustment& adjustment, uint32_t key, int64_t sign) {
    const auto place = place_of(period_at(adjustment.completed_us, grain), key);
    Cell cell{place, sign, {}};
    for (size_t i = 0; i < meter_count; ++i) cell.counts[i] = sign * adjustment.counts[i];
    cells.push_back(cell);
    places.push_back(place);
    for (const auto& extra : adjustment.extras)
      change.extras.push_back({place, extra.name, sign * extra.count});
  };
  for (const auto& adjustment : block.adjustments) {
    move(adjustment, adjustment.key_from, -1);
    if (adjustment.key_to != Adjustment::no_key) move(adjustment, adjustment.key_to, 1);
  }
  Change adjusted;
  sum_cells(cells, places, adjusted.cells);
  const Change* both[] = {&change, &adjusted};
  auto merged = merge(both);
  change.cells = std::move(merged.cells);
}

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

// A cell of one event: without what it stated to be zero.
void put_event(const EventColumns& events, uint32_t event, Place place, Cells& cells) {
  const auto counts = events.counts[event];
  auto* const values = cells.begin_cell();
  values[0] = 1;
  size_t next = 1;
  unsigned mask = 0;
  const auto* count = counts.data();
  for (unsigned left = events.present[event]; left != 0; left &= left - 1) {
    const auto value = *count++;
    values[next] = value;
    next += value != 0;
    mask |= value != 0 ? left & -left : 0;
  }
  cells.end_cell(place, static_cast<MeterMask>(mask));
}

void add_event(const EventColumns& events, uint32_t event, Sum& sum) {
  const auto* count = events.counts[event].data();
  ++sum.requests;
  for (unsigned left = events.present[event]; left != 0; left &= left - 1)
    sum.counts[static_cast<size_t>(__builtin_ctz(left))] += *count++;
}

}  // namespace

std::vector<uint32_t> order_of(std::span<const Place> places) {
  return sorted_by_place(places.size(), [&](size_t i) { return places[i]; });
}

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

Change fold(const Block& block, std::chrono::minutes grain) {
  Change change;
  fold(block, grain, change);
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
  change.cells.reserve(usage.size(), usage.size() + events.counts.values().size());
  const auto order = order_of(places);
  for (size_t i = 0; i < order.size();) {
    const auto place = places[order[i]];
    auto end = i + 1;
    while (end < order.size() && places[order[end]] == place) ++end;
    if (end == i + 1) {
      put_event(events, usage[order[i++]], place, change.cells);
      continue;
    }
    Sum sum;
    for (; i < end; ++i) add_event(events, usage[order[i]], sum);
    change.cells.push_back(place, sum);
  }
  for (const auto& extra : events.extras) {
    if (events.kind[extra.event] != EventKind::usage) continue;
    const auto period = period_at(events.completed_us[extra.event], grain);
    change.extras.push_back({place_of(period, events.key[extra.event]), extra.name, extra.count});
  }
  add_adjustments(block, grain, change);
  sum_extras(change.extras);
}

void sum_cells(const Cells& cells, std::span<const Place> places, Cells& summed) {
  constexpr size_t prefetch_distance = 10;
  summed.clear();
  summed.reserve(cells.size(), cells.values());
  CellSum sum(summed);
  const auto order = order_of(places);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 2 * prefetch_distance < order.size())
      cells.prefetch_head(order[i + 2 * prefetch_distance]);
    if (i + prefetch_distance < order.size()) cells[order[i + prefetch_distance]].prefetch();
    sum.put(cells[order[i]], places[order[i]]);
  }
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
  Parts left;
  size_t count = 0;
  size_t values = 0;
  for (const auto* change : changes) {
    merged.first_sequence = std::min(merged.first_sequence, change->first_sequence);
    merged.last_sequence = std::max(merged.last_sequence, change->last_sequence);
    left.push_back({&change->cells, 0, change->cells.size()});
    count += change->cells.size();
    values += change->cells.values();
    merged.extras.insert(merged.extras.end(), change->extras.begin(), change->extras.end());
  }
  merged.cells.reserve(count, values);
  CellSum sum(merged.cells);
  // Period by period: those of one block are few, and blocks in order share hardly any.
  for (Parts parts;; parts.clear()) {
    auto period = uint64_t{UINT32_MAX} + 1;
    for (const auto& [cells, begin, end] : left)
      if (begin != end) period = std::min<uint64_t>(period, period_of(cells->place(begin)));
    if (period > UINT32_MAX) break;
    for (auto& run : left)
      if (run.size() != 0 && period_of(run.cells->place(run.begin)) == period)
        parts.push_back(take_period(run, static_cast<uint32_t>(period)));
    sum_parts(parts, sum);
  }
  sum_extras(merged.extras);
}

}  // namespace gauger::ledger
