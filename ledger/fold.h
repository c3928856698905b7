// fold(block): what a block adds to the rollups. The only way from journal to rollups, for live
// traffic, replay, rebuild and verification alike.
//
// Figures: some 40 ns per event (radix sort by period and key, then one pass); a merge some 30 ns
// per cell, half of that where changes follow one another in time.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "ledger/block.h"
#include "ledger/cells.h"

namespace gauger::ledger {

struct ExtraCell {
  Place place;
  StringId name;
  int64_t count;
  bool operator==(const ExtraCell&) const = default;
};

// The sum of some consecutive blocks: cells by place, each place once, no cell of zeros.
struct Change {
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  Cells cells;
  std::vector<ExtraCell> extras;  // by place and name
  bool operator==(const Change&) const = default;
};

Change fold(const Block& block, std::chrono::minutes grain);
// The same into memory that is used again.
void fold(const Block& block, std::chrono::minutes grain, Change& change);
// Sums the cells that `places` puts at one place, sorted by it; cell i goes to places[i]. No zeros.
// `summed` gives its memory.
void sum_cells(const Cells& cells, std::span<const Place> places, Cells& summed);
// Sorts, sums entries of one place and name, and drops what comes to nothing.
void sum_extras(std::vector<ExtraCell>& extras);
// 0..places-1 in the order of their places; equal ones as they come.
std::vector<uint32_t> order_of(std::span<const Place> places);
// The sum of changes; their sequences need not touch.
Change merge(std::span<const Change* const> changes);
// The same into memory that is used again.
void merge(std::span<const Change* const> changes, Change& merged);

}  // namespace gauger::ledger
