// The rollup key: everything that usage is told apart by, but for the period. Strings are
// interned; an id means something only together with the dictionary it came from.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace gauger {

// An interned string. Id 0 is the empty string in every dictionary.
struct StringId {
  uint32_t value = 0;
  auto operator<=>(const StringId&) const = default;
};

// The numbers of these enums are stored on disk and equal those of usage_event.proto.
enum class ServiceTier : uint8_t { standard, batch, flex, priority, provisioned };
enum class UsageSource : uint8_t { reported, estimated, missing };
enum class Purpose : uint8_t { production, shadow, distillation };
enum class Exposure : uint8_t { internal, external };
enum class Role : uint8_t { root, retry, fallback };
enum class Outcome : uint8_t { absent, accepted, escalated, failed };

inline constexpr std::array<std::string_view, 5> service_tier_names = {"standard", "batch", "flex",
                                                                       "priority", "provisioned"};
inline constexpr std::array<std::string_view, 3> usage_source_names = {"reported", "estimated",
                                                                       "missing"};
inline constexpr std::array<std::string_view, 3> purpose_names = {"production", "shadow",
                                                                  "distillation"};
inline constexpr std::array<std::string_view, 2> exposure_names = {"internal", "external"};
inline constexpr std::array<std::string_view, 3> role_names = {"root", "retry", "fallback"};
inline constexpr std::array<std::string_view, 4> outcome_names = {"outcome_absent", "accepted",
                                                                  "escalated", "failed"};

constexpr std::string_view to_string(ServiceTier v) {
  return service_tier_names[static_cast<size_t>(v)];
}
constexpr std::string_view to_string(UsageSource v) {
  return usage_source_names[static_cast<size_t>(v)];
}
constexpr std::string_view to_string(Purpose v) { return purpose_names[static_cast<size_t>(v)]; }
constexpr std::string_view to_string(Exposure v) { return exposure_names[static_cast<size_t>(v)]; }
constexpr std::string_view to_string(Role v) { return role_names[static_cast<size_t>(v)]; }
constexpr std::string_view to_string(Outcome v) { return outcome_names[static_cast<size_t>(v)]; }

// The enumerator of that name, from one of the tables above.
template <class Enum, size_t N>
constexpr std::optional<Enum> find_name(const std::array<std::string_view, N>& names,
                                        std::string_view name) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

// How many of the ledger's context boundaries the request's total input lies strictly above:
// 0 below the first, 1 above the first, ... A property of one request that no sum shows.
using ContextTier = uint8_t;

struct UsageKey {
  StringId name_space;
  StringId team;
  StringId project;
  StringId workload;
  StringId provider;
  StringId provider_account;
  StringId model;
  StringId region;
  StringId accelerator;
  StringId program;
  ServiceTier service_tier = ServiceTier::standard;
  ContextTier context_tier = 0;
  Role role = Role::root;
  Outcome outcome = Outcome::absent;
  Purpose purpose = Purpose::production;
  Exposure exposure = Exposure::internal;
  UsageSource usage_source = UsageSource::reported;
  uint8_t reserved = 0;
  auto operator<=>(const UsageKey&) const = default;
};

// Hashed and compared as bytes on the event path.
static_assert(sizeof(UsageKey) == 48 && std::has_unique_object_representations_v<UsageKey>);

}  // namespace gauger
