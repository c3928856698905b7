// One usage event as nearly every producer writes it in JSON, read where it lies: an object of
// plain ASCII strings without escapes, whole positive numbers and the map of extras. One pass, no
// index, no copy. Whatever else JSON allows, and whatever is wrong, is left to json_decoder.cpp,
// which agrees with this wherever this reads (tests/fuzz/json_fuzz.cpp). Private to ingest/.
//
// One per thread. Figure: an event of 340 bytes costs a third of what simdjson's on-demand takes.
#pragma once

#include <array>
#include <string_view>

#include "ingest/event_fields.h"
#include "schemas/limits.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

class FlatJson {
 public:
  // `text` has no white space around it. True: the event says all that the text does, and its
  // views last as long as the text and, for extras, until the next call. False: the event means
  // nothing.
  bool read(std::string_view text, UsageEvent& event);

 private:
  // Each returns the end of what it read, or nullptr where that is not as expected.
  const char* read_key(const char* at, uint8_t& field);
  const char* find_key(const char* at, uint8_t& field) const;
  const char* read_value(const char* at, uint8_t field, UsageEvent& event);
  const char* read_string(const char* at, std::string_view& text) const;
  const char* read_count(const char* at, int64_t& count) const;
  const char* read_extras(const char* at);
  const char* read_extra(const char* at);
  const char* find_quote(const char* at) const;
  const char* find_last_quote(const char* at) const;
  const char* skip_blanks(const char* at) const;
  const char* take(const char* at, char c) const;
  size_t readable(const char* at) const { return static_cast<size_t>(end_ - at); }

  const char* end_ = nullptr;  // of the text
  uint64_t seen_ = 0;          // by field number
  size_t extras_count_ = 0;
  std::array<ExtraCount, limits::extras_max> extras_;
  // Which field came after each field, and first of all, in the events before: a producer writes
  // them in one order, so that a key is compared and not looked for.
  uint8_t before_ = event_fields.size();
  std::array<uint8_t, event_fields.size() + 1> next_{};
};

}  // namespace gauger::ingest
