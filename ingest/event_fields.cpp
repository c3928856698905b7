#include "ingest/event_fields.h"

namespace gauger::ingest {
namespace {

template <size_t N>
std::optional<int64_t> number_of(const std::array<std::string_view, N>& names,
                                 std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<int64_t>(i);
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> find_enum_number(FieldKind kind, std::string_view name) {
  switch (kind) {
    case FieldKind::service_tier: return number_of(service_tier_names, name);
    case FieldKind::usage_source: return number_of(usage_source_names, name);
    case FieldKind::purpose: return number_of(purpose_names, name);
    case FieldKind::exposure: return number_of(exposure_names, name);
    case FieldKind::role: return number_of(role_names, name);
    case FieldKind::outcome: return number_of(outcome_names, name);
    case FieldKind::text:
    case FieldKind::time:
    case FieldKind::meter:
    case FieldKind::extras:
    case FieldKind::total:
    case FieldKind::target:
    case FieldKind::must_understand: break;
  }
  return std::nullopt;
}

}  // namespace gauger::ingest
