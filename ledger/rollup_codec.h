// Packed rollup segments: the stored form of a Change, or of the part of one that falls on one
// day. Immutable; merged behind into fewer of them.
//
// Byte table: 0 magic "GJR1", 4 u16 format, 6 u16 codec (0 as is, 1 zstd), 8 u64 first sequence,
// 16 u64 last sequence, 24 u32 cells, 28 u32 extras, 32 u32 body bytes before compression,
// 36 u64 XXH3 of all the rest, 44 body: place differences, zigzag requests, u16 masks of the
// meters that are not zero, zigzag values of those, then per extra: place difference, name,
// zigzag count.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "ledger/fold.h"
#include "schemas/result.h"

namespace gauger::ledger {

std::string encode_rollup(uint64_t first_sequence, uint64_t last_sequence,
                          std::span<const Cell> cells, std::span<const ExtraCell> extras);
Result<Change> decode_rollup(std::string_view bytes);

// Keys in Family::rollups: 'F' + UTC day + last sequence: fine cells. 'D' + 0 + last sequence: day
// sums. 'H': the watermark.
std::string segment_key(char kind, uint32_t day, uint64_t last_sequence);
uint32_t day_of_segment(std::string_view key);

// The parts of a change that lie on one UTC day each, in order.
using VisitDay =
    std::function<void(uint32_t day, std::span<const Cell>, std::span<const ExtraCell>)>;
void each_utc_day(const Change& change, std::chrono::minutes grain, const VisitDay& visit);

}  // namespace gauger::ledger
