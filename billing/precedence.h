// Which of several dated terms is in force: the most specific one that applies, and of the
// versions of one scope the latest that has begun. Two different scopes of equal rank that
// both apply are a tie, which is an error and never a choice. Pure; used by price books and
// the model catalogue.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "schemas/instant.h"

namespace gauger::billing {

inline constexpr Instant begin_of_time = Instant::min();
inline constexpr Instant end_of_time = Instant::max();
inline constexpr int32_t minutes_per_day = 24 * 60;

// Minutes of the UTC day, [from, until); it wraps midnight where from > until.
struct DayWindow {
  int32_t from;
  int32_t until;
  constexpr bool contains(int32_t minute) const {
    return from <= until ? from <= minute && minute < until : from <= minute || minute < until;
  }
  auto operator<=>(const DayWindow&) const = default;
};

// Compared from the front; greater is more specific.
using Rank = std::array<int, 5>;

struct Candidate {
  size_t index = 0;  // what the caller calls this term
  Rank rank{};
  std::string scope;  // versions of one term have the same scope
  Instant from = begin_of_time;
  Instant until = end_of_time;
  std::optional<DayWindow> window;
};

inline constexpr int32_t nothing_applies = -1;
inline constexpr int32_t tie_applies = -2;

struct Slot {
  int32_t minute_from;
  int32_t minute_until;
  int32_t index;      // of the candidate, nothing_applies or tie_applies
  size_t tied_a = 0;  // of a tie
  size_t tied_b = 0;
  auto operator<=>(const Slot&) const = default;
};

struct Segment {
  Interval interval;
  std::vector<Slot> slots;  // cover the day, in order
};

// Segments cover all of time, in order; neighbours differ, so that every cut is a change.
std::vector<Segment> order_by_precedence(const std::vector<Candidate>& candidates);

}  // namespace gauger::billing
