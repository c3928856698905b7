#include "ingest/flat_json.h"

#include <algorithm>
#include <cstring>

#include "ingest/blank_event.h"
#include "ingest/check.h"
#include "ingest/digits.h"
#include "ingest/event_fields.h"
#include "ingest/numbers.h"
#include "schemas/short_text.h"

namespace gauger::ingest {
namespace {

// The names of the fields in both spellings, compared by words.
struct Spelling {
  TextWords words;
  uint8_t size = 0;  // 0: none is here
  uint8_t field = 0;
};

struct SpellingTable {
  std::array<Spelling, detail::name_slots> slots{};
  constexpr SpellingTable() {
    for (uint8_t i = 0; i < event_fields.size(); ++i) {
      add(event_fields[i].name, i);
      if (event_fields[i].camel_name != event_fields[i].name) add(event_fields[i].camel_name, i);
    }
  }
  constexpr void add(std::string_view name, uint8_t field) {
    auto slot = detail::name_hash(name);
    while (slots[slot].size != 0) slot = (slot + 1) % slots.size();
    auto& spelling = slots[slot];
    for (size_t i = 0; i < name.size(); ++i)
      spelling.words.words[i / 8] |= uint64_t{static_cast<uint8_t>(name[i])} << (i % 8 * 8);
    spelling.size = static_cast<uint8_t>(name.size());
    spelling.field = field;
  }
};

constexpr SpellingTable spellings;

// The fields' names in snake_case between quotes.
struct QuotedName {
  TextWords words;
  uint8_t size = 0;
};

constexpr auto make_quoted_names() {
  std::array<QuotedName, event_fields.size()> names{};
  for (size_t field = 0; field < names.size(); ++field) {
    const auto name = event_fields[field].name;
    auto& quoted = names[field];
    quoted.size = static_cast<uint8_t>(name.size() + 2);
    for (size_t i = 0; i < quoted.size; ++i) {
      const auto c = i == 0 || i > name.size() ? '"' : name[i - 1];
      quoted.words.words[i / 8] |= uint64_t{static_cast<uint8_t>(c)} << (i % 8 * 8);
    }
  }
  return names;
}
constexpr auto quoted_names = make_quoted_names();
static_assert(std::ranges::all_of(event_fields, [](const EventField& field) {
  return field.name.size() + 2 <= short_text_bytes_max;
}));

constexpr uint8_t unknown_field = 255;

// `readable` bytes may be read from the name's begin on.
uint8_t find_spelling(std::string_view name, size_t readable) {
  if (name.empty() || name.size() > short_text_bytes_max) return unknown_field;
  const auto words = readable >= short_text_bytes_max ? words_of_readable(name) : words_of(name);
  for (auto slot = detail::name_hash(name);; slot = (slot + 1) % spellings.slots.size()) {
    const auto& spelling = spellings.slots[slot];
    if (spelling.size == 0) return unknown_field;
    if (spelling.size == name.size() && spelling.words == words) return spelling.field;
  }
}

// Most often there is none.
bool is_blank(char c) { return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t'); }

}  // namespace

bool FlatJson::read(std::string_view text, UsageEvent& event) {
  make_blank(event);
  end_ = text.data() + text.size();
  seen_ = 0;
  extras_count_ = 0;
  before_ = event_fields.size();
  const auto* at = take(text.data(), '{');
  if (at == nullptr) return false;
  at = skip_blanks(at);
  if (const auto* const empty = take(at, '}'); empty != nullptr) return empty == end_;
  for (;;) {
    uint8_t field = unknown_field;
    at = read_key(at, field);
    if (at == nullptr) return false;
    at = read_value(at, field, event);
    if (at == nullptr) return false;
    at = skip_blanks(at);
    if (at == end_) return false;
    if (*at != ',') break;
    at = skip_blanks(at + 1);
  }
  if (extras_count_ != 0) {
    sort_extras({extras_.data(), extras_count_});
    event.extras = {extras_.data(), extras_count_};
  }
  return *at == '}' && at + 1 == end_;
}

// A key and what follows it up to its value.
[[gnu::always_inline]] inline const char* FlatJson::read_key(const char* at, uint8_t& field) {
  auto& expected = next_[before_];
  const auto& name = quoted_names[expected];
  if (readable(at) > short_text_bytes_max && words_of_readable({at, name.size}) == name.words)
      [[likely]] {
    field = expected;
    at += name.size;
  } else {
    at = find_key(at, field);
    if (at == nullptr) return nullptr;
    expected = field;
  }
  before_ = field;
  const auto bit = uint64_t{1} << event_fields[field].number;
  if ((seen_ & bit) != 0) return nullptr;
  seen_ |= bit;
  at = take(skip_blanks(at), ':');
  return at == nullptr ? nullptr : skip_blanks(at);
}

const char* FlatJson::find_key(const char* at, uint8_t& field) const {
  std::string_view key;
  const auto* const end = read_string(at, key);
  if (end == nullptr) return nullptr;
  field = find_spelling(key, readable(at + 1));
  return field == unknown_field ? nullptr : end;
}

[[gnu::always_inline]] inline const char* FlatJson::read_value(const char* at, uint8_t field_index,
                                                               UsageEvent& event) {
  const auto& field = event_fields[field_index];
  std::string_view text;
  int64_t count = 0;
  switch (field.kind) {
    case FieldKind::text: return read_string(at, event.*field.text);
    case FieldKind::meter:
      at = read_count(at, count);
      event.set(field.meter, count);
      return at;
    case FieldKind::time:
      at = read_string(at, text);
      if (at == nullptr) return nullptr;
      event.*field.time = parse_timestamp(text);
      return event.*field.time == no_instant ? nullptr : at;
    case FieldKind::total: return read_count(at, event.*field.total);
    case FieldKind::service_tier:
    case FieldKind::usage_source:
    case FieldKind::purpose:
    case FieldKind::exposure:
    case FieldKind::role:
    case FieldKind::outcome: {
      at = read_string(at, text);
      if (at == nullptr) return nullptr;
      const auto number = find_enum_number(field.kind, text);
      return number && set_enum(event, field.kind, *number) ? at : nullptr;
    }
    case FieldKind::extras: return read_extras(at);
    case FieldKind::target:
    case FieldKind::must_understand: break;
  }
  return nullptr;
}

[[gnu::always_inline]] inline const char* FlatJson::read_string(const char* at,
                                                                std::string_view& text) const {
  at = take(at, '"');
  if (at == nullptr) return nullptr;
  const auto* const end = find_quote(at);
  if (end == nullptr) return nullptr;
  text = {at, static_cast<size_t>(end - at)};
  return end + 1;
}

// The quote that ends a string, eight bytes at a time. None where something else that is not plain
// comes first: an escape, a control character, a byte beyond ASCII, the end.
[[gnu::always_inline]] inline const char* FlatJson::find_quote(const char* at) const {
  constexpr uint64_t ones = 0x0101'0101'0101'0101;
  constexpr uint64_t tops = 0x8080'8080'8080'8080;
  for (; readable(at) >= 8; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const auto quotes = word ^ (ones * '"');
    const auto escapes = word ^ (ones * '\\');
    // The top bit of each byte that is looked for, and of some bytes behind the first such: only
    // the first counts.
    const auto found = (((quotes - ones) & ~quotes) | ((escapes - ones) & ~escapes) |
                        ((word - ones * ' ') & ~word) | word) &
                       tops;
    if (found == 0) continue;
    at += __builtin_ctzll(found) / 8;
    return *at == '"' ? at : nullptr;
  }
  return find_last_quote(at);
}

[[gnu::noinline]] const char* FlatJson::find_last_quote(const char* at) const {
  while (at != end_ && *at != '"' && *at != '\\' && *at >= ' ') ++at;
  return at != end_ && *at == '"' ? at : nullptr;
}

[[gnu::always_inline]] inline const char* FlatJson::read_count(const char* at,
                                                               int64_t& count) const {
  const auto* const begin = at;
  uint64_t value = 0;
  const auto size = take_digits(at, readable(at), value);
  count = static_cast<int64_t>(value);
  // None, more than are usual, or a zero in front, which JSON forbids. Whoever goes on finds what
  // may follow a number: neither a point nor an exponent is a comma.
  return size == 0 || (size > 1 && *begin == '0') ? nullptr : at;
}

const char* FlatJson::read_extras(const char* at) {
  at = take(at, '{');
  if (at == nullptr) return nullptr;
  at = skip_blanks(at);
  if (const auto* const empty = take(at, '}'); empty != nullptr) return empty;
  for (;;) {
    at = read_extra(at);
    if (at == nullptr) return nullptr;
    at = skip_blanks(at);
    const auto* const more = take(at, ',');
    if (more == nullptr) return take(at, '}');
    at = skip_blanks(more);
  }
}

const char* FlatJson::read_extra(const char* at) {
  if (extras_count_ == extras_.size()) return nullptr;
  auto& extra = extras_[extras_count_];
  at = read_string(at, extra.name);
  if (at == nullptr) return nullptr;
  at = take(skip_blanks(at), ':');
  if (at == nullptr) return nullptr;
  at = read_count(skip_blanks(at), extra.count);
  for (size_t i = 0; i < extras_count_; ++i)
    if (extras_[i].name == extra.name) return nullptr;
  ++extras_count_;
  return at;
}

[[gnu::always_inline]] inline const char* FlatJson::skip_blanks(const char* at) const {
  while (at != end_ && is_blank(*at)) ++at;
  return at;
}

[[gnu::always_inline]] inline const char* FlatJson::take(const char* at, char c) const {
  return at != end_ && *at == c ? at + 1 : nullptr;
}

}  // namespace gauger::ingest
