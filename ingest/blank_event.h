// An event that says nothing, made in place. Private to the decoders.
#pragma once

#include <cstring>
#include <type_traits>

#include "schemas/usage_event.h"

namespace gauger::ingest {

// One copy of the event's bytes, in pieces of some registers each; an assignment would clear it
// field by field.
[[gnu::always_inline]] inline void make_blank(UsageEvent& event) {
  static constexpr UsageEvent blank;
  static_assert(std::is_trivially_copyable_v<UsageEvent>);
  constexpr size_t piece = 64;
  auto* const to = reinterpret_cast<char*>(&event);
  const auto* const from = reinterpret_cast<const char*>(&blank);
  size_t at = 0;
  for (; at + piece <= sizeof event; at += piece) std::memcpy(to + at, from + at, piece);
  std::memcpy(to + at, from + at, sizeof event % piece);
}

}  // namespace gauger::ingest
