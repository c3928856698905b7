// Packed rollup segments: the stored form of a Change, or of the part of one that falls on one
// day. Immutable; merged behind into fewer of them, cell by cell, without taking them into memory.
//
// Byte table: 0 magic "GJR1", 4 u16 format, 6 u16 codec (0 as is, 1 zstd), 8 u64 first sequence,
// 16 u64 last sequence, 24 u32 cells, 28 u32 extras, 32 u32 body bytes before compression,
// 36 u64 XXH3 of all the rest, 44 body: place differences, zigzag requests, u16 masks of the
// meters that are not zero, zigzag values of those, then per extra: place difference, name,
// zigzag count.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ledger/bytes.h"
#include "ledger/fold.h"
#include "schemas/result.h"

namespace gauger::ledger {

// Writes segments one after another, into memory that is used again.
class RollupWriter {
 public:
  // In the order of their places.
  void add(const CellView& cell);
  // Nothing where the sum is.
  void add(Place place, const Sum& sum);
  // Cells from..until-1.
  void add(const Cells& cells, size_t from, size_t until);
  // The segment of what was added; what follows is of the next one.
  std::string finish(uint64_t first_sequence, uint64_t last_sequence,
                     std::span<const ExtraCell> extras);

 private:
  std::string_view compressed(std::string_view body);

  uint32_t cells_ = 0;
  Place before_ = 0;
  AppendBuffer<char> places_;
  AppendBuffer<char> requests_;
  AppendBuffer<char> masks_;
  AppendBuffer<char> values_;
  AppendBuffer<char> body_;
  AppendBuffer<char> compressed_;
};

// Reads the cells of a segment, one after another.
class RollupReader {
 public:
  // Keeps nothing of the bytes.
  static Result<RollupReader> open(std::string_view bytes);

  uint64_t first_sequence() const { return first_sequence_; }
  uint64_t last_sequence() const { return last_sequence_; }
  uint32_t cells() const { return cells_; }
  // Of all cells together, zeros among them.
  size_t values() const;
  // The next cell, which is valid until the one after it; false behind the last one.
  bool next(CellView& cell);
  // Once, behind the last cell: the extras, or that the cells were damaged.
  Result<std::vector<ExtraCell>> finish();

 private:
  RollupReader() = default;
  bool find_columns();

  uint64_t first_sequence_ = 0;
  uint64_t last_sequence_ = 0;
  uint32_t cells_ = 0;
  uint32_t extras_ = 0;
  uint32_t read_ = 0;
  Place place_ = 0;
  std::unique_ptr<char[]> body_;
  size_t body_bytes_ = 0;
  const char* masks_ = nullptr;
  ByteReader places_{{}};
  ByteReader requests_{{}};
  ByteReader values_{{}};
  bool damaged_ = false;
  std::array<int64_t, CellView::values_max> cell_{};
};

std::string encode_rollup(const Change& change);
Result<Change> decode_rollup(std::string_view bytes);

// The segment that holds the sum of all of them.
Result<std::string> merge_rollups(std::span<RollupReader> parts, RollupWriter& writer);

// Keys in Family::rollups: 'F' + UTC day + last sequence: fine cells. 'D' + 0 + last sequence: day
// sums. 'H': the watermark.
std::string segment_key(char kind, uint32_t day, uint64_t last_sequence);
uint32_t day_of_segment(std::string_view key);

// Writes the parts of a change that lie on one UTC day each, in order.
using VisitDaySegment = std::function<void(uint32_t day, std::string segment)>;
void each_day_segment(const Change& change, std::chrono::minutes grain, RollupWriter& writer,
                      const VisitDaySegment& visit);

}  // namespace gauger::ledger
