#include "tools/load/event_encoder.h"

#include <array>
#include <charconv>
#include <cstring>

namespace gauger::load {
namespace {

// The string fields between completed_at and the counts, and after them: number and name.
struct TextField {
  uint32_t number;
  std::string_view name;
  std::string_view UsageEvent::*member;
};
constexpr std::array<TextField, 2> identity_fields = {{
    {1, "source", &UsageEvent::source},
    {2, "id", &UsageEvent::id},
}};
constexpr std::array<TextField, 8> who_and_what_fields = {{
    {5, "team", &UsageEvent::team},
    {6, "project", &UsageEvent::project},
    {7, "workload", &UsageEvent::workload},
    {8, "agent_session", &UsageEvent::agent_session},
    {9, "provider", &UsageEvent::provider},
    {10, "provider_account", &UsageEvent::provider_account},
    {11, "model", &UsageEvent::model},
    {12, "region", &UsageEvent::region},
}};
constexpr std::array<TextField, 2> how_fields = {{
    {14, "accelerator", &UsageEvent::accelerator},
    {15, "provider_request_id", &UsageEvent::provider_request_id},
}};
constexpr uint32_t started_at_field = 3;
constexpr uint32_t completed_at_field = 4;
constexpr uint32_t service_tier_field = 13;
constexpr uint32_t first_count_field = 16;  // input_uncached; the meters follow in order
constexpr uint32_t extras_field = 28;
constexpr uint32_t input_total_field = 29;
constexpr uint32_t output_total_field = 30;
constexpr uint32_t usage_source_field = 32;
constexpr uint32_t purpose_field = 33;
constexpr uint32_t exposure_field = 34;
constexpr uint32_t program_field = 35;
constexpr uint32_t role_field = 36;
constexpr uint32_t parent_id_field = 37;
constexpr uint32_t outcome_field = 38;
constexpr uint32_t reservation_id_field = 39;
constexpr uint32_t retracts_field = 40;
constexpr uint32_t outcome_of_field = 41;

constexpr uint32_t wire_varint = 0;
constexpr uint32_t wire_bytes = 2;

char* put_varint(char* out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

char* put_tag(char* out, uint32_t field, uint32_t wire) {
  return put_varint(out, field << 3 | wire);
}

char* put_int(char* out, uint32_t field, int64_t value) {
  return put_varint(put_tag(out, field, wire_varint), static_cast<uint64_t>(value));
}

char* put_raw(char* out, std::string_view bytes) {
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

char* put_text(char* out, uint32_t field, std::string_view text) {
  if (text.empty()) return out;
  out = put_varint(put_tag(out, field, wire_bytes), text.size());
  return put_raw(out, text);
}

template <class Enum>
char* put_enum(char* out, uint32_t field, Enum value) {
  return value == Enum{} ? out : put_int(out, field, static_cast<int64_t>(value));
}

// Encodes what `body` writes, with its length before it. Room for a length of `length_bytes` is
// left; a body whose length takes another number of bytes is moved.
template <size_t length_bytes = 1, class Body>
char* put_nested(char* out, Body body) {
  char* const begin = out + length_bytes;
  const char* const end = body(begin);
  const auto size = static_cast<size_t>(end - begin);
  std::array<char, 10> length{};
  const auto used = static_cast<size_t>(put_varint(length.data(), size) - length.data());
  if (used != length_bytes) std::memmove(out + used, begin, size);
  std::memcpy(out, length.data(), used);
  return out + used + size;
}

// Whole seconds, rounded down, and the microseconds beyond them.
struct SplitTime {
  int64_t seconds;
  int64_t us;
};

SplitTime split(Instant instant) {
  const auto us = to_us(instant);
  const auto remainder = ((us % 1'000'000) + 1'000'000) % 1'000'000;
  return {(us - remainder) / 1'000'000, remainder};
}

char* put_instant(char* out, uint32_t field, Instant instant) {
  if (instant == no_instant) return out;
  const auto time = split(instant);
  return put_nested(put_tag(out, field, wire_bytes), [&](char* p) {
    if (time.seconds != 0) p = put_int(p, 1, time.seconds);
    if (time.us != 0) p = put_int(p, 2, time.us * 1000);
    return p;
  });
}

char* put_target(char* out, uint32_t field, const EventTarget& target) {
  if (target.id.empty()) return out;
  return put_nested(put_tag(out, field, wire_bytes), [&](char* p) {
    p = put_text(p, 1, target.source);
    p = put_text(p, 2, target.id);
    return put_text(p, 3, target.reason);
  });
}

char* put_counts(char* out, const UsageEvent& event) {
  for (uint32_t i = 0; i < meter_count; ++i)
    if (event.has(static_cast<Meter>(i)))
      out = put_int(out, first_count_field + i, event.counts[i]);
  for (const auto& extra : event.extras)
    out = put_nested(put_tag(out, extras_field, wire_bytes),
                     [&](char* p) { return put_int(put_text(p, 1, extra.name), 2, extra.count); });
  if (event.input_total != no_total) out = put_int(out, input_total_field, event.input_total);
  if (event.output_total != no_total) out = put_int(out, output_total_field, event.output_total);
  return out;
}

template <size_t N>
char* put_texts(char* out, const UsageEvent& event, const std::array<TextField, N>& fields) {
  for (const auto& field : fields) out = put_text(out, field.number, event.*field.member);
  return out;
}

char* put_event(char* out, const UsageEvent& event) {
  out = put_texts(out, event, identity_fields);
  out = put_instant(out, started_at_field, event.started_at);
  out = put_instant(out, completed_at_field, event.completed_at);
  out = put_texts(out, event, who_and_what_fields);
  out = put_enum(out, service_tier_field, event.service_tier);
  out = put_texts(out, event, how_fields);
  out = put_counts(out, event);
  out = put_enum(out, usage_source_field, event.usage_source);
  out = put_enum(out, purpose_field, event.purpose);
  out = put_enum(out, exposure_field, event.exposure);
  out = put_text(out, program_field, event.program);
  out = put_enum(out, role_field, event.role);
  out = put_text(out, parent_id_field, event.parent_id);
  out = put_enum(out, outcome_field, event.outcome);
  out = put_text(out, reservation_id_field, event.reservation_id);
  out = put_target(out, retracts_field, event.retracts);
  return put_target(out, outcome_of_field, event.outcome_of);
}

// --- JSON -----------------------------------------------------------------------------------

char* put_escaped(char* out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out++ = '\\';
      *out++ = c;
    } else if (byte < 0x20) {
      out = put_raw(out, "\\u00");
      *out++ = hex[byte >> 4];
      *out++ = hex[byte & 15];
    } else {
      *out++ = c;
    }
  }
  return out;
}

char* put_digits(char* out, int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits;
}

// RFC 3339 with no, three or six digits of fraction, as protobuf's JSON mapping has them.
char* put_json_time(char* out, Instant instant) {
  const auto [seconds, us] = split(instant);
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const auto time_of_day = seconds - to_us(day) / 1'000'000;
  out = put_digits(out, static_cast<int>(date.year()), 4);
  *out++ = '-';
  out = put_digits(out, static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  out = put_digits(out, static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  out = put_digits(out, time_of_day / 3600, 2);
  *out++ = ':';
  out = put_digits(out, time_of_day / 60 % 60, 2);
  *out++ = ':';
  out = put_digits(out, time_of_day % 60, 2);
  if (us != 0) {
    *out++ = '.';
    out = us % 1000 == 0 ? put_digits(out, us / 1000, 3) : put_digits(out, us, 6);
  }
  *out++ = 'Z';
  return out;
}

// Writes the members of one object, with commas between them.
class JsonObject {
 public:
  explicit JsonObject(char* out) : out_(out) { *out_++ = '{'; }

  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    key(name);
    *out_++ = '"';
    out_ = put_escaped(out_, value);
    *out_++ = '"';
  }
  void number(std::string_view name, int64_t value) {
    key(name);
    const auto written = std::to_chars(out_, out_ + 24, value);
    out_ = written.ptr;
  }
  void time(std::string_view name, Instant instant) {
    if (instant == no_instant) return;
    key(name);
    *out_++ = '"';
    out_ = put_json_time(out_, instant);
    *out_++ = '"';
  }
  template <class Enum>
  void enumerator(std::string_view name, Enum value) {
    if (value != Enum{}) text(name, to_string(value));
  }
  template <class Members>
  void object(std::string_view name, Members members) {
    key(name);
    JsonObject inner(out_);
    members(inner);
    out_ = inner.close();
  }
  void target(std::string_view name, const EventTarget& target) {
    if (target.id.empty()) return;
    object(name, [&](JsonObject& inner) {
      inner.text("source", target.source);
      inner.text("id", target.id);
      inner.text("reason", target.reason);
    });
  }
  char* close() {
    *out_++ = '}';
    return out_;
  }

 private:
  void key(std::string_view name) {
    if (!first_) *out_++ = ',';
    first_ = false;
    *out_++ = '"';
    out_ = put_escaped(out_, name);
    *out_++ = '"';
    *out_++ = ':';
  }

  char* out_;
  bool first_ = true;
};

template <size_t N>
void json_texts(JsonObject& json, const UsageEvent& event, const std::array<TextField, N>& fields) {
  for (const auto& field : fields) json.text(field.name, event.*field.member);
}

void json_counts(JsonObject& json, const UsageEvent& event) {
  for (size_t i = 0; i < meter_count; ++i)
    if (event.has(static_cast<Meter>(i))) json.number(meter_names[i], event.counts[i]);
  if (!event.extras.empty())
    json.object("extras", [&](JsonObject& inner) {
      for (const auto& extra : event.extras) inner.number(extra.name, extra.count);
    });
  if (event.input_total != no_total) json.number("input_total", event.input_total);
  if (event.output_total != no_total) json.number("output_total", event.output_total);
}

}  // namespace

size_t encoded_bytes_max(const UsageEvent& event) {
  // Names, punctuation, times and numbers of all fields come to less than 1,500 bytes. A
  // control character takes six in JSON.
  size_t text = event.parent_id.size() + event.program.size() + event.reservation_id.size();
  for (const auto& field : identity_fields) text += (event.*field.member).size();
  for (const auto& field : who_and_what_fields) text += (event.*field.member).size();
  for (const auto& field : how_fields) text += (event.*field.member).size();
  for (const auto* target : {&event.retracts, &event.outcome_of})
    text += target->source.size() + target->id.size() + target->reason.size();
  for (const auto& extra : event.extras) text += extra.name.size() + 32;
  return 1500 + 6 * text;
}

char* encode_delimited_protobuf(const UsageEvent& event, char* out) {
  return put_nested<2>(out, [&](char* p) { return put_event(p, event); });
}

char* encode_json_line(const UsageEvent& event, char* out) {
  JsonObject json(out);
  json_texts(json, event, identity_fields);
  json.time("started_at", event.started_at);
  json.time("completed_at", event.completed_at);
  json_texts(json, event, who_and_what_fields);
  json.enumerator("service_tier", event.service_tier);
  json_texts(json, event, how_fields);
  json_counts(json, event);
  json.enumerator("usage_source", event.usage_source);
  json.enumerator("purpose", event.purpose);
  json.enumerator("exposure", event.exposure);
  json.text("program", event.program);
  json.enumerator("role", event.role);
  json.text("parent_id", event.parent_id);
  json.enumerator("outcome", event.outcome);
  json.text("reservation_id", event.reservation_id);
  json.target("retracts", event.retracts);
  json.target("outcome_of", event.outcome_of);
  char* end = json.close();
  *end++ = '\n';
  return end;
}

}  // namespace gauger::load
