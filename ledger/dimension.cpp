#include "ledger/dimension.h"

#include <algorithm>
#include <charconv>

namespace gauger::ledger {
namespace {

template <size_t N>
std::optional<uint32_t> index_of(const std::array<std::string_view, N>& names,
                                 std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<uint32_t>(found - names.begin());
}

}  // namespace

uint32_t value_of(const UsageKey& key, Dimension dimension) {
  switch (dimension) {
    case Dimension::name_space: return key.name_space.value;
    case Dimension::team: return key.team.value;
    case Dimension::project: return key.project.value;
    case Dimension::workload: return key.workload.value;
    case Dimension::provider: return key.provider.value;
    case Dimension::provider_account: return key.provider_account.value;
    case Dimension::model: return key.model.value;
    case Dimension::region: return key.region.value;
    case Dimension::accelerator: return key.accelerator.value;
    case Dimension::program: return key.program.value;
    case Dimension::service_tier: return static_cast<uint32_t>(key.service_tier);
    case Dimension::context_tier: return key.context_tier;
    case Dimension::role: return static_cast<uint32_t>(key.role);
    case Dimension::outcome: return static_cast<uint32_t>(key.outcome);
    case Dimension::purpose: return static_cast<uint32_t>(key.purpose);
    case Dimension::exposure: return static_cast<uint32_t>(key.exposure);
    case Dimension::usage_source: return static_cast<uint32_t>(key.usage_source);
  }
  return 0;
}

std::optional<uint32_t> enum_value(Dimension dimension, std::string_view text) {
  switch (dimension) {
    case Dimension::service_tier: return index_of(service_tier_names, text);
    case Dimension::role: return index_of(role_names, text);
    case Dimension::outcome: return index_of(outcome_names, text);
    case Dimension::purpose: return index_of(purpose_names, text);
    case Dimension::exposure: return index_of(exposure_names, text);
    case Dimension::usage_source: return index_of(usage_source_names, text);
    default: break;
  }
  uint32_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace gauger::ledger
