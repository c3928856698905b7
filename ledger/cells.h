// Rollup cells: what was used in one period under one usage key. In a row they take what they have:
// a head of 16 bytes each, then their requests and the counts of the meters that are not zero, all
// in two flat arrays; some 56 bytes where a whole cell takes 112.
//
// Not thread-safe; constant ones are.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "ledger/append_buffer.h"
#include "schemas/instant.h"
#include "schemas/meter.h"

namespace gauger::ledger {

// A period of the fine grain and a usage key in one number: period << 32 | key. The period is
// the number of grains since 1970-01-01T00:00Z.
using Place = uint64_t;
constexpr Place place_of(uint32_t period, uint32_t key) { return uint64_t{period} << 32 | key; }
constexpr uint32_t period_of(Place place) { return static_cast<uint32_t>(place >> 32); }
constexpr uint32_t key_of(Place place) { return static_cast<uint32_t>(place); }

constexpr uint32_t period_at(int64_t us, std::chrono::minutes grain) {
  return static_cast<uint32_t>(us / std::chrono::microseconds(grain).count());
}
constexpr Instant period_begin(uint32_t period, std::chrono::minutes grain) {
  return Instant{std::chrono::microseconds(grain) * int64_t{period}};
}
constexpr uint32_t utc_day_of(uint32_t period, std::chrono::minutes grain) {
  return static_cast<uint32_t>(period * grain / std::chrono::days{1});
}

// A whole cell. Signed: retractions and moved outcomes take counts away.
struct Cell {
  Place place;
  int64_t requests;
  Counts counts;
  bool operator==(const Cell&) const = default;
};

// A cell where it lies: its requests, then the counts of the meters in the mask, none of them zero.
// Memory for all meters may be read there, whatever the mask says.
struct CellView {
  static constexpr size_t values_max = 1 + meter_count;

  Place place;
  MeterMask mask;
  const int64_t* values;

  int64_t requests() const { return values[0]; }
  size_t size() const { return 1 + static_cast<size_t>(std::popcount(mask)); }
  bool is_zero() const { return mask == 0 && requests() == 0; }
  void prefetch() const {
    __builtin_prefetch(values);
    __builtin_prefetch(values + 7);
  }
  // Calls visit(meter, count) for each meter that it has.
  template <class Visit>
  void each(Visit&& visit) const {
    const auto* value = values;
    for (unsigned left = mask; left != 0; left &= left - 1)
      visit(static_cast<size_t>(__builtin_ctz(left)), *++value);
  }
  Cell whole() const {
    Cell cell{place, requests(), {}};
    each([&](size_t meter, int64_t count) { cell.counts[meter] = count; });
    return cell;
  }
};

// What cells come to.
struct Sum {
  int64_t requests = 0;
  Counts counts{};

  bool is_zero() const {
    int64_t any = requests;
    for (const auto count : counts) any |= count;
    return any == 0;
  }
  void add(const Sum& other) {
    requests += other.requests;
    for (size_t i = 0; i < meter_count; ++i) counts[i] += other.counts[i];
  }
  void add(const CellView& cell) {
    requests += cell.requests();
    cell.each([&](size_t meter, int64_t count) { counts[meter] += count; });
  }
  // Writes it as a view shows it; memory for all meters is there.
  MeterMask pack(int64_t* values) const {
    values[0] = requests;
    size_t next = 1;
    unsigned mask = 0;
    for (unsigned i = 0; i < meter_count; ++i) {
      values[next] = counts[i];
      next += counts[i] != 0;
      mask |= unsigned{counts[i] != 0} << i;
    }
    return static_cast<MeterMask>(mask);
  }
};

class Cells {
 public:
  class Iterator {
   public:
    Iterator(const Cells& cells, size_t at) : cells_(&cells), at_(at) {}
    CellView operator*() const { return (*cells_)[at_]; }
    Iterator& operator++() { return ++at_, *this; }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Cells* cells_;
    size_t at_;
  };

  Cells() = default;
  explicit Cells(std::span<const Cell> cells) {
    for (const auto& cell : cells) push_back(cell);
  }

  size_t size() const { return heads_.size(); }
  bool empty() const { return size() == 0; }
  // Of all cells together.
  size_t values() const { return values_.size(); }
  size_t used_bytes() const { return size() * sizeof(Head) + values() * sizeof(int64_t); }
  size_t memory_bytes() const {
    return heads_.capacity() * sizeof(Head) + values_.capacity() * sizeof(int64_t);
  }
  CellView operator[](size_t at) const {
    const auto& head = heads_[at];
    return {head.place, static_cast<MeterMask>(head.begin_and_mask),
            &values_[head.begin_and_mask >> mask_bits]};
  }
  CellView back() const { return (*this)[size() - 1]; }
  Place place(size_t at) const { return heads_[at].place; }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
  // The first of cells from..until-1, which are in order, at or behind a place; until where there
  // is none. In growing steps from the first one, where it mostly is.
  size_t lower_bound(Place place, size_t from, size_t until) const {
    size_t step = 1;
    while (from + step < until && heads_[from + step].place < place) {
      from += step;
      step *= 2;
    }
    const auto* const found =
        std::lower_bound(heads_.begin() + from, heads_.begin() + std::min(until, from + step),
                         place, [](const Head& head, Place wanted) { return head.place < wanted; });
    return static_cast<size_t>(found - heads_.begin());
  }
  size_t lower_bound(Place place) const { return lower_bound(place, 0, size()); }
  std::vector<Cell> whole() const {
    std::vector<Cell> cells;
    for (const auto cell : *this) cells.push_back(cell.whole());
    return cells;
  }

  void reserve(size_t cells, size_t values) {
    heads_.room(cells - std::min(cells, size()));
    values_.room(values - std::min(values, values_.size()) + CellView::values_max);
  }
  void push_back(const CellView& cell, Place place) {
    // All that may be there is copied, so that nothing waits for how much it is.
    std::memcpy(begin_cell(), cell.values, CellView::values_max * sizeof(int64_t));
    end_cell(place, cell.mask);
  }
  void push_back(Place place, const Sum& sum) { end_cell(place, sum.pack(begin_cell())); }
  void push_back(const Cell& cell) { push_back(cell.place, Sum{cell.requests, cell.counts}); }
  // Where the values of a new cell go; as many as there may be. Then how many there are.
  int64_t* begin_cell() { return values_.room(CellView::values_max); }
  void end_cell(Place place, MeterMask mask) {
    *heads_.room(1) = {place, uint64_t{values_.size()} << mask_bits | mask};
    heads_.take(1);
    values_.take(1 + static_cast<size_t>(std::popcount(mask)));
  }
  // Cells from..until-1 of others.
  void append(const Cells& other, size_t from, size_t until);
  void pop_back() {
    values_.resize_down(heads_[size() - 1].begin_and_mask >> mask_bits);
    heads_.resize_down(size() - 1);
  }
  void clear() {
    heads_.resize_down(0);
    values_.resize_down(0);
  }
  void set_place(size_t at, Place place) { heads_[at].place = place; }

  void prefetch_head(size_t at) const { __builtin_prefetch(&heads_[at]); }

  bool operator==(const Cells& other) const;

 private:
  static constexpr unsigned mask_bits = 16;
  struct Head {
    Place place;
    uint64_t begin_and_mask;  // where its values begin, above the mask of its meters
  };
  static_assert(meter_count <= mask_bits);

  AppendBuffer<Head> heads_;
  AppendBuffer<int64_t, CellView::values_max> values_;
};

}  // namespace gauger::ledger
