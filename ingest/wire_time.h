// A google.protobuf.Timestamp as a field of an event: the usual one at once, others tag by tag.
// Private to the wire decoder.
#pragma once

#include <cstring>

#include "ingest/check.h"
#include "ingest/wire_format.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

// Two varints and their tags, minimally written.
inline constexpr size_t timestamp_bytes_max = 22;

// The compiler takes this for rare, and would divide.
[[gnu::always_inline]] inline void set_instant(Instant& instant, uint64_t seconds, uint64_t nanos) {
  const auto us = nanos * 274'877'907U >> 38U;
  static_assert(999'999'999U * uint64_t{274'877'907} >> 38U == 999'999);
  instant = instant_from_us(static_cast<int64_t>(seconds * 1'000'000 + us));
}

// A Timestamp behind its tag, with five bytes of seconds, as all have from 1978 to 3058, and with
// nanoseconds or without. Returns its size, so that the next field is known before this one is
// read, or 0 where it is another one.
[[gnu::always_inline]] inline size_t read_usual_time(const char* at, const char* record_end,
                                                     Instant& instant) {
  constexpr size_t looked_at = 16;
  constexpr size_t seconds_bytes = 6;  // with their tag
  if (static_cast<size_t>(record_end - at) < looked_at || instant != no_instant) return 0;
  const auto size = static_cast<uint8_t>(at[0]);
  uint64_t seconds = 0;
  std::memcpy(&seconds, at + 1, sizeof seconds);
  if ((seconds & 0x8080'8080'80FFU) != 0x0080'8080'8000U + tag_of(1, varint)) return 0;
  const auto next_tag = static_cast<uint8_t>(seconds >> (8 * seconds_bytes));
  seconds = ledger::gather_sevens(seconds >> 8U & 0x7F'7F7F'7F7FU);
  uint64_t nanos = 0;
  if (size != seconds_bytes) {
    constexpr size_t nanos_bytes_max = 5;
    const auto nanos_bytes = size_t{size} - seconds_bytes - 1;
    if (nanos_bytes - 1 >= nanos_bytes_max || next_tag != tag_of(2, varint)) return 0;
    std::memcpy(&nanos, at + 1 + seconds_bytes + 1, sizeof nanos);
    nanos &= (uint64_t{1} << (8 * nanos_bytes)) - 1;
    constexpr uint64_t tops = 0x8080'8080'8080'8080;
    // Every byte but the last says that another one follows.
    if ((nanos & tops) != (tops & ((uint64_t{1} << (8 * (nanos_bytes - 1))) - 1))) return 0;
    nanos = ledger::gather_sevens(nanos & ~tops);
    if (nanos > 999'999'999) return 0;
  }
  set_instant(instant, seconds, nanos);
  return size_t{1} + size;
}

// A Timestamp behind its tag. Returns its end, or nullptr where libprotobuf has to judge.
[[gnu::noinline]] inline const char* read_time(const char* at, const char* record_end,
                                               Instant& instant) {
  // A second piece would merge into the first.
  if (at == record_end || instant != no_instant) return nullptr;
  const auto size = static_cast<uint8_t>(*at++);
  if (size > timestamp_bytes_max || size > static_cast<size_t>(record_end - at)) return nullptr;
  const auto* const end = at + size;
  uint64_t seconds = 0;
  uint64_t nanos = 0;
  while (at != end) {
    const auto tag = static_cast<uint8_t>(*at++);
    auto& part = tag == tag_of(1, varint) ? seconds : nanos;
    if (tag != tag_of(1, varint) && tag != tag_of(2, varint)) return nullptr;
    if (!take_number(at, end, record_end, part)) return nullptr;
  }
  if (seconds > static_cast<uint64_t>(timestamp_seconds_max) || nanos > 999'999'999) return nullptr;
  set_instant(instant, seconds, nanos);
  return end;
}

}  // namespace gauger::ingest
