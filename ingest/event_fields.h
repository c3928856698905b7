// The fields of usage_event.proto by name, for formats that name them (JSON, CSV, headers) and
// for sentences about them. Names are found in snake_case and in lowerCamelCase.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "schemas/meter.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

enum class FieldKind : uint8_t {
  text,
  time,
  meter,
  extras,
  total,
  service_tier,
  usage_source,
  purpose,
  exposure,
  role,
  outcome,
  target,
  must_understand,
};

struct EventField {
  std::string_view name;        // as in usage_event.proto
  std::string_view camel_name;  // as protobuf's JSON mapping writes it
  uint8_t number;               // the field number on the wire
  FieldKind kind;
  std::string_view UsageEvent::*text = nullptr;
  Instant UsageEvent::*time = nullptr;
  int64_t UsageEvent::*total = nullptr;
  EventTarget UsageEvent::*target = nullptr;
  Meter meter = Meter::input_uncached;
};

namespace detail {

constexpr EventField text_field(uint8_t number, std::string_view name, std::string_view camel,
                                std::string_view UsageEvent::*member) {
  EventField field{name, camel, number, FieldKind::text};
  field.text = member;
  return field;
}
constexpr EventField time_field(uint8_t number, std::string_view name, std::string_view camel,
                                Instant UsageEvent::*member) {
  EventField field{name, camel, number, FieldKind::time};
  field.time = member;
  return field;
}
constexpr EventField meter_field(uint8_t number, std::string_view camel, Meter meter) {
  EventField field{to_string(meter), camel, number, FieldKind::meter};
  field.meter = meter;
  return field;
}
constexpr EventField total_field(uint8_t number, std::string_view name, std::string_view camel,
                                 int64_t UsageEvent::*member) {
  EventField field{name, camel, number, FieldKind::total};
  field.total = member;
  return field;
}
constexpr EventField target_field(uint8_t number, std::string_view name, std::string_view camel,
                                  EventTarget UsageEvent::*member) {
  EventField field{name, camel, number, FieldKind::target};
  field.target = member;
  return field;
}

}  // namespace detail

inline constexpr std::array<EventField, 41> event_fields = {{
    detail::text_field(1, "source", "source", &UsageEvent::source),
    detail::text_field(2, "id", "id", &UsageEvent::id),
    detail::time_field(3, "started_at", "startedAt", &UsageEvent::started_at),
    detail::time_field(4, "completed_at", "completedAt", &UsageEvent::completed_at),
    detail::text_field(5, "team", "team", &UsageEvent::team),
    detail::text_field(6, "project", "project", &UsageEvent::project),
    detail::text_field(7, "workload", "workload", &UsageEvent::workload),
    detail::text_field(8, "agent_session", "agentSession", &UsageEvent::agent_session),
    detail::text_field(9, "provider", "provider", &UsageEvent::provider),
    detail::text_field(10, "provider_account", "providerAccount", &UsageEvent::provider_account),
    detail::text_field(11, "model", "model", &UsageEvent::model),
    detail::text_field(12, "region", "region", &UsageEvent::region),
    {"service_tier", "serviceTier", 13, FieldKind::service_tier},
    detail::text_field(14, "accelerator", "accelerator", &UsageEvent::accelerator),
    detail::text_field(15, "provider_request_id", "providerRequestId",
                       &UsageEvent::provider_request_id),
    detail::meter_field(16, "inputUncached", Meter::input_uncached),
    detail::meter_field(17, "cacheRead", Meter::cache_read),
    detail::meter_field(18, "cacheWrite5m", Meter::cache_write_5m),
    detail::meter_field(19, "cacheWrite1h", Meter::cache_write_1h),
    detail::meter_field(20, "inputAudio", Meter::input_audio),
    detail::meter_field(21, "inputImage", Meter::input_image),
    detail::meter_field(22, "outputText", Meter::output_text),
    detail::meter_field(23, "outputReasoning", Meter::output_reasoning),
    detail::meter_field(24, "outputAudio", Meter::output_audio),
    detail::meter_field(25, "computeUs", Meter::compute_us),
    detail::meter_field(26, "webSearches", Meter::web_searches),
    detail::meter_field(27, "images", Meter::images),
    {"extras", "extras", 28, FieldKind::extras},
    detail::total_field(29, "input_total", "inputTotal", &UsageEvent::input_total),
    detail::total_field(30, "output_total", "outputTotal", &UsageEvent::output_total),
    {"usage_source", "usageSource", 32, FieldKind::usage_source},
    {"purpose", "purpose", 33, FieldKind::purpose},
    {"exposure", "exposure", 34, FieldKind::exposure},
    detail::text_field(35, "program", "program", &UsageEvent::program),
    {"role", "role", 36, FieldKind::role},
    detail::text_field(37, "parent_id", "parentId", &UsageEvent::parent_id),
    {"outcome", "outcome", 38, FieldKind::outcome},
    detail::text_field(39, "reservation_id", "reservationId", &UsageEvent::reservation_id),
    detail::target_field(40, "retracts", "retracts", &UsageEvent::retracts),
    detail::target_field(41, "outcome_of", "outcomeOf", &UsageEvent::outcome_of),
    {"must_understand", "mustUnderstand", 42, FieldKind::must_understand},
}};

inline constexpr unsigned field_number_max = 42;

namespace detail {

// Open addressing over the two spellings; the hash tells most names apart.
inline constexpr size_t name_slots = 256;
inline constexpr uint8_t no_field = 255;

constexpr size_t name_hash(std::string_view name) {
  const auto at = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(name[i])); };
  return (name.size() * 11 + at(0) * 31 + at(name.size() / 2) * 7 + at(name.size() - 1) * 17) %
         name_slots;
}

struct NameTable {
  std::array<uint8_t, name_slots> slots{};
  constexpr NameTable() {
    slots.fill(no_field);
    for (uint8_t i = 0; i < event_fields.size(); ++i) {
      add(event_fields[i].name, i);
      if (event_fields[i].camel_name != event_fields[i].name) add(event_fields[i].camel_name, i);
    }
  }
  constexpr void add(std::string_view name, uint8_t index) {
    auto slot = name_hash(name);
    while (slots[slot] != no_field) slot = (slot + 1) % name_slots;
    slots[slot] = index;
  }
};

inline constexpr NameTable name_table;

}  // namespace detail

// The field of that name, or nullptr.
constexpr const EventField* find_field(std::string_view name) {
  if (name.empty()) return nullptr;
  for (auto slot = detail::name_hash(name);; slot = (slot + 1) % detail::name_slots) {
    const auto index = detail::name_table.slots[slot];
    if (index == detail::no_field) return nullptr;
    const auto& field = event_fields[index];
    if (field.name == name || field.camel_name == name) return &field;
  }
}

// Puts an enum into the event by number; false: the schema has no such value.
constexpr bool set_enum(UsageEvent& event, FieldKind kind, int64_t number) {
  const auto set = [&](auto& member, size_t values) {
    if (number < 0 || number >= static_cast<int64_t>(values)) return false;
    member = static_cast<std::remove_reference_t<decltype(member)>>(number);
    return true;
  };
  switch (kind) {
    case FieldKind::service_tier: return set(event.service_tier, service_tier_names.size());
    case FieldKind::usage_source: return set(event.usage_source, usage_source_names.size());
    case FieldKind::purpose: return set(event.purpose, purpose_names.size());
    case FieldKind::exposure: return set(event.exposure, exposure_names.size());
    case FieldKind::role: return set(event.role, role_names.size());
    case FieldKind::outcome: return set(event.outcome, outcome_names.size());
    case FieldKind::text:
    case FieldKind::time:
    case FieldKind::meter:
    case FieldKind::extras:
    case FieldKind::total:
    case FieldKind::target:
    case FieldKind::must_understand: break;
  }
  return false;
}

// The number of an enum's value by its name in the schema.
std::optional<int64_t> find_enum_number(FieldKind kind, std::string_view name);

constexpr bool is_enum(FieldKind kind) {
  return kind >= FieldKind::service_tier && kind <= FieldKind::outcome;
}

}  // namespace gauger::ingest
